export { MailModule } from './mail.module.js';
export { Mailer, MAX_ATTACHMENT_BYTES, SendMailJob } from './mailer.js';
export { isMailAddress, type Mail, type MailAttachment } from './message.js';
export { commentMail, confirmMail, inviteMail, MAIL_LANGUAGES, type MailText, recoverMail } from './templates.js';
