/** Languages in which mails exist; any other gets English. */
export const MAIL_LANGUAGES = ['en', 'ru', 'de', 'ko'] as const;
type Language = (typeof MAIL_LANGUAGES)[number];

export interface MailText {
  readonly subject: string;
  readonly text: string;
}

interface Wording {
  readonly subject: string;
  readonly lines: readonly string[];
  readonly ignore: string;
}

/** Asks a new person to confirm an address; `link` is good for `hours`. */
export function confirmMail(lang: string, link: string, hours: number): MailText {
  return write(
    link,
    {
      en: {
        subject: 'Confirm your e-mail address',
        lines: ['Open this link to confirm your e-mail address:', `It is good for ${hours} hours.`],
        ignore: 'If you did not ask for this, ignore this mail.',
      },
      ru: {
        subject: 'Подтвердите адрес почты',
        lines: ['Откройте ссылку, чтобы подтвердить адрес почты:', `Она действует ${hours} ч.`],
        ignore: 'Если вы этого не просили, не обращайте внимания на это письмо.',
      },
      de: {
        subject: 'Bestätigen Sie Ihre E-Mail-Adresse',
        lines: ['Öffnen Sie diesen Link, um Ihre E-Mail-Adresse zu bestätigen:', `Er gilt ${hours} Stunden.`],
        ignore: 'Wenn Sie das nicht angefordert haben, ist nichts zu tun.',
      },
      ko: {
        subject: '이메일 주소 확인',
        lines: ['이메일 주소를 확인하려면 이 링크를 여세요:', `이 링크는 ${hours}시간 동안 유효합니다.`],
        ignore: '요청하지 않으셨다면 이 메일을 무시하세요.',
      },
    },
    lang,
  );
}

/** Lets somebody who lost the password in once, to set a new one; `link` is good for `hours`. */
export function recoverMail(lang: string, link: string, hours: number): MailText {
  return write(
    link,
    {
      en: {
        subject: 'Set a new password',
        lines: ['This link signs you in once, so that you can set a new password:', `It is good for ${hours} hours.`],
        ignore: 'If you did not ask for this, ignore this mail: your password stays as it is.',
      },
      ru: {
        subject: 'Новый пароль',
        lines: ['Эта ссылка один раз впустит вас, чтобы задать новый пароль:', `Она действует ${hours} ч.`],
        ignore: 'Если вы этого не просили, не обращайте внимания на это письмо: пароль не изменится.',
      },
      de: {
        subject: 'Neues Passwort setzen',
        lines: ['Dieser Link meldet Sie einmal an, damit Sie ein neues Passwort setzen können:', `Er gilt ${hours} Stunden.`],
        ignore: 'Wenn Sie das nicht angefordert haben, ist nichts zu tun: Ihr Passwort bleibt gültig.',
      },
      ko: {
        subject: '새 비밀번호 설정',
        lines: ['이 링크로 한 번 로그인하여 새 비밀번호를 설정할 수 있습니다:', `이 링크는 ${hours}시간 동안 유효합니다.`],
        ignore: '요청하지 않으셨다면 이 메일을 무시하세요. 비밀번호는 바뀌지 않습니다.',
      },
    },
    lang,
  );
}

/** Invites somebody; `invitation` is the inviter's own text and may be empty, `link` is good for `hours`. */
export function inviteMail(lang: string, link: string, hours: number, inviter: string, invitation: string): MailText {
  const said = invitation === '' ? [] : [invitation];
  return write(
    link,
    {
      en: {
        subject: 'You are invited',
        lines: [`${inviter} invites you.`, ...said, 'Open this link to accept:', `It is good for ${hours} hours.`],
        ignore: 'If you do not know the sender, ignore this mail.',
      },
      ru: {
        subject: 'Вас приглашают',
        lines: [`${inviter} приглашает вас.`, ...said, 'Откройте ссылку, чтобы принять приглашение:', `Она действует ${hours} ч.`],
        ignore: 'Если отправитель вам незнаком, не обращайте внимания на это письмо.',
      },
      de: {
        subject: 'Sie sind eingeladen',
        lines: [`${inviter} lädt Sie ein.`, ...said, 'Öffnen Sie diesen Link, um anzunehmen:', `Er gilt ${hours} Stunden.`],
        ignore: 'Wenn Sie den Absender nicht kennen, ist nichts zu tun.',
      },
      ko: {
        subject: '초대장이 도착했습니다',
        lines: [`${inviter} 님이 초대했습니다.`, ...said, '수락하려면 이 링크를 여세요:', `이 링크는 ${hours}시간 동안 유효합니다.`],
        ignore: '보낸 사람을 모르시면 이 메일을 무시하세요.',
      },
    },
    lang,
  );
}

/** Tells somebody that `author` named him in a comment on a file, or gave him a task there; `comment` is the author's own text. */
export function commentMail(lang: string, link: string, said: { author: string; file: string; comment: string; task: boolean }): MailText {
  const { author, file, comment, task } = said;
  return write(
    link,
    {
      en: {
        subject: task ? `A task for you: ${file}` : `You are named in a comment: ${file}`,
        lines: [
          task ? `${author} gave you a task on the file "${file}":` : `${author} named you in a comment on the file "${file}":`,
          '',
          comment,
          '',
        ],
        ignore: 'Sign in to answer.',
      },
      ru: {
        subject: task ? `Задача для вас: ${file}` : `Вас упомянули в комментарии: ${file}`,
        lines: [
          task ? `${author} ставит вам задачу по файлу «${file}»:` : `${author} упоминает вас в комментарии к файлу «${file}»:`,
          '',
          comment,
          '',
        ],
        ignore: 'Войдите, чтобы ответить.',
      },
      de: {
        subject: task ? `Eine Aufgabe für Sie: ${file}` : `Sie werden in einem Kommentar genannt: ${file}`,
        lines: [
          task ? `${author} hat Ihnen eine Aufgabe zur Datei „${file}“ gegeben:` : `${author} nennt Sie in einem Kommentar zur Datei „${file}“:`,
          '',
          comment,
          '',
        ],
        ignore: 'Melden Sie sich an, um zu antworten.',
      },
      ko: {
        subject: task ? `새 작업: ${file}` : `댓글에 언급되었습니다: ${file}`,
        lines: [
          task ? `${author} 님이 "${file}" 파일에 대한 작업을 지정했습니다:` : `${author} 님이 "${file}" 파일의 댓글에서 회원님을 언급했습니다:`,
          '',
          comment,
          '',
        ],
        ignore: '답변하려면 로그인하세요.',
      },
    },
    lang,
  );
}

/** The link stands alone on its line, before the last line of the wording. */
function write(link: string, wordings: Record<Language, Wording>, lang: string): MailText {
  const { subject, lines, ignore } = wordings[MAIL_LANGUAGES.find((known) => known === lang) ?? 'en'];
  return { subject, text: [...lines.slice(0, -1), '', link, '', lines.at(-1)!, ignore, ''].join('\n') };
}
