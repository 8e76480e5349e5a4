import type { MailText } from '#libs/mail';

type Wording = (name: string) => Record<'download' | 'upload', readonly [subject: string, text: string]>;

const WORDINGS: Readonly<Record<string, Wording>> = {
  en: (name) => ({
    download: ['Your link was used', `Somebody has downloaded from your public link to "${name}".`],
    upload: ['Your link was used', `Somebody is leaving a file by your public link to "${name}".`],
  }),
  ru: (name) => ({
    download: ['По вашей ссылке скачали файл', `По вашей публичной ссылке на «${name}» скачивают файлы.`],
    upload: ['По вашей ссылке загружают файл', `По вашей публичной ссылке на «${name}» загружают файл.`],
  }),
  de: (name) => ({
    download: ['Ihr Link wurde benutzt', `Jemand hat über Ihren öffentlichen Link zu „${name}“ heruntergeladen.`],
    upload: ['Ihr Link wurde benutzt', `Jemand legt über Ihren öffentlichen Link zu „${name}“ eine Datei ab.`],
  }),
  ko: (name) => ({
    download: ['링크가 사용되었습니다', `"${name}" 공개 링크에서 다운로드가 있었습니다.`],
    upload: ['링크가 사용되었습니다', `"${name}" 공개 링크로 파일이 업로드되고 있습니다.`],
  }),
};

/** Tells the issuer of a link that it was used; English where there is no wording for `lang`. */
export function linkUsedMail(lang: string, name: string, what: 'download' | 'upload'): MailText {
  const [subject, text] = (WORDINGS[lang] ?? WORDINGS['en']!)(name.replace(/\p{C}/gu, ' '))[what];
  return { subject, text: `${text}\n` };
}
