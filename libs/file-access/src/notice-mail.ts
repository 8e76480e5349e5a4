import type { MailText } from '#libs/mail';

type Wording = (from: string, name: string) => readonly [subject: string, text: string];

const WORDINGS: Readonly<Record<string, Wording>> = {
  en: (from, name) => ['A file was shared with you', `${from} has shared the file "${name}" with you.`],
  ru: (from, name) => ['Вам открыли файл', `${from} открывает вам файл «${name}».`],
  de: (from, name) => ['Eine Datei wurde mit Ihnen geteilt', `${from} hat die Datei „${name}“ mit Ihnen geteilt.`],
  ko: (from, name) => ['파일이 공유되었습니다', `${from} 님이 "${name}" 파일을 공유했습니다.`],
};

/** Tells somebody that a file is open to him; English where there is no wording for `lang`. */
export function fileSharedMail(lang: string, from: string, name: string): MailText {
  const plain = (text: string) => text.replace(/\p{C}/gu, ' ');
  const [subject, text] = (WORDINGS[lang] ?? WORDINGS['en']!)(plain(from), plain(name));
  return { subject, text: `${text}\n` };
}
