import type { MailText } from '#libs/mail';

type Wordings = Readonly<Record<string, readonly [subject: string, text: string]>>;

/** Tells the owner that the company was let in. English where there is no wording for `lang`. */
export function approvedMail(lang: string, company: string): MailText {
  return pick(lang, {
    en: ['Your company was approved', `"${company}" was approved. You can invite people now.`],
    ru: ['Ваша компания одобрена', `Компания «${company}» одобрена. Теперь вы можете приглашать сотрудников.`],
    de: ['Ihre Firma wurde zugelassen', `„${company}“ wurde zugelassen. Sie können jetzt Personen einladen.`],
    ko: ['회사가 승인되었습니다', `"${company}" 회사가 승인되었습니다. 이제 사용자를 초대할 수 있습니다.`],
  });
}

/** Tells the owner that the company was refused; `reason` may be empty. */
export function deniedMail(lang: string, company: string, reason: string): MailText {
  const { subject, text } = pick(lang, {
    en: ['Your company was not approved', `"${company}" was not approved.`],
    ru: ['Ваша компания не одобрена', `Компания «${company}» не одобрена.`],
    de: ['Ihre Firma wurde nicht zugelassen', `„${company}“ wurde nicht zugelassen.`],
    ko: ['회사가 승인되지 않았습니다', `"${company}" 회사가 승인되지 않았습니다.`],
  });
  return { subject, text: reason === '' ? text : `${text}\n${reason}\n` };
}

/** Tells the administrators that somebody needs more space; `comment` is his own text and may be empty. */
export function quotaRequestMail(lang: string, person: string, comment: string): MailText {
  const { subject, text } = pick(lang, {
    en: ['Somebody needs more space', `${person} asks for more space.`],
    ru: ['Нужно больше места', `${person} просит больше места.`],
    de: ['Jemand braucht mehr Speicherplatz', `${person} bittet um mehr Speicherplatz.`],
    ko: ['저장 공간 요청', `${person} 님이 저장 공간을 더 요청했습니다.`],
  });
  return { subject, text: comment === '' ? text : `${text}\n\n${comment}\n` };
}

function pick(lang: string, wordings: Wordings): MailText {
  const [subject, text] = wordings[lang] ?? wordings['en']!;
  return { subject, text: `${text}\n` };
}
