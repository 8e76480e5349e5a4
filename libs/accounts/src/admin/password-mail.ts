import type { MailText } from '#libs/mail';

const WORDINGS: Readonly<Record<string, readonly [subject: string, before: string, after: string]>> = {
  en: ['Your new password', 'An administrator has given you a new password:', 'Sign in with it and choose another one.'],
  ru: ['Ваш новый пароль', 'Администратор задал вам новый пароль:', 'Войдите с ним и выберите другой.'],
  de: ['Ihr neues Passwort', 'Ein Administrator hat Ihnen ein neues Passwort gegeben:', 'Melden Sie sich damit an und wählen Sie ein anderes.'],
  ko: ['새 비밀번호', '관리자가 새 비밀번호를 설정했습니다:', '이 비밀번호로 로그인한 후 다른 비밀번호로 변경하세요.'],
};

/** Brings somebody the password that was made for him; English where there is no wording for `lang`. */
export function newPasswordMail(lang: string, password: string): MailText {
  const [subject, before, after] = WORDINGS[lang] ?? WORDINGS['en']!;
  return { subject, text: `${before}\n\n${password}\n\n${after}\n` };
}
