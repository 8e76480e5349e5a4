import type { MailText } from '#libs/mail';

type Wording = readonly [subject: string, attached: string, tooLarge: string];

const WORDINGS: Readonly<Record<string, (file: string, rows: number) => Wording>> = {
  en: (file, rows) => [
    `Report: ${file}`,
    `The report ${file} with ${rows} rows is attached.`,
    `The report ${file} with ${rows} rows is too large for a mail. Fetch it within a day from the task that made it.`,
  ],
  ru: (file, rows) => [
    `Отчёт: ${file}`,
    `Отчёт ${file} (строк: ${rows}) приложен к письму.`,
    `Отчёт ${file} (строк: ${rows}) слишком велик для письма. В течение суток его можно скачать из задачи, которая его создала.`,
  ],
  de: (file, rows) => [
    `Bericht: ${file}`,
    `Der Bericht ${file} mit ${rows} Zeilen liegt bei.`,
    `Der Bericht ${file} mit ${rows} Zeilen ist zu groß für eine E-Mail. Er kann einen Tag lang über die Aufgabe geholt werden, die ihn gemacht hat.`,
  ],
  ko: (file, rows) => [
    `보고서: ${file}`,
    `보고서 ${file}(${rows}행)을 첨부했습니다.`,
    `보고서 ${file}(${rows}행)은 메일로 보내기에 너무 큽니다. 하루 안에 보고서를 만든 작업에서 받으세요.`,
  ],
};

/** The mail that carries a report, or says where it is when it is too large for that. */
export function reportMail(lang: string, fileName: string, rows: number, attached: boolean): MailText {
  const [subject, here, elsewhere] = (Object.hasOwn(WORDINGS, lang) ? WORDINGS[lang]! : WORDINGS['en']!)(fileName, rows);
  return { subject, text: `${attached ? here : elsewhere}\n` };
}
