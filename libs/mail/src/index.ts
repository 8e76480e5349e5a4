export { MailModule } from './mail.module.js';
export { Mailer, SendMailJob } from './mailer.js';
export { isMailAddress, type Mail } from './message.js';
export { commentMail, confirmMail, inviteMail, MAIL_LANGUAGES, type MailText, recoverMail } from './templates.js';
