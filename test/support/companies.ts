import { CloudikeUser } from './cloudike-user.js';
import { type FormValue, type HttpAnswer, HttpSession } from './http-session.js';

export const PASSWORD = 'correct horse battery';

/** Status and code of an answer, as one text to compare, and its body. */
export interface Said {
  readonly said: string;
  readonly body: Record<string, unknown>;
  readonly reply: HttpAnswer;
}

/** A call by a form. */
export async function call(http: HttpSession, path: string, params: Record<string, FormValue | readonly FormValue[]> = {}): Promise<Said> {
  const body = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) for (const item of [value].flat()) if (item !== undefined) body.append(name, String(item));
  const reply = await http.send(`/api/1/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: body.toString(),
  });
  const parsed = reply.body.length === 0 ? {} : reply.json<Record<string, unknown>>();
  const code = parsed['code'];
  return { said: typeof code === 'string' && code !== 'OK' ? `${reply.status} ${code}` : String(reply.status), body: parsed, reply };
}

/** Companies on a running stack: their founders and members. */
export class CompanyTown {
  private nth = 0;
  /** Nobody. */
  readonly anonymous: HttpSession;

  constructor(readonly baseUrl: string) {
    this.anonymous = new HttpSession(baseUrl);
  }

  freshEmail(): string {
    return `p-${++this.nth}-${Math.random().toString(36).slice(2)}@example.org`;
  }

  /** A new company; its founder, signed in, and its id. */
  async found(name: string, more: Record<string, FormValue> = {}): Promise<{ admin: CloudikeUser; companyId: number }> {
    const email = this.freshEmail();
    await this.anonymous.form('/api/1/accounts/create/', { email, password: PASSWORD, name: `Founder of ${name}`, company_name: name, ...more });
    const admin = await CloudikeUser.login(this.baseUrl, email, PASSWORD);
    return { admin, companyId: (await admin.http.get<{ company_id: number }>('/api/1/accounts/get/')).company_id };
  }

  /** A new member, signed in. */
  async hire(admin: CloudikeUser, companyId: number, name = 'Member'): Promise<CloudikeUser> {
    const email = this.freshEmail();
    await admin.http.form(`/api/1/company/${companyId}/create_user/`, { login: `email:${email}`, name, password: PASSWORD });
    return CloudikeUser.login(this.baseUrl, email, PASSWORD);
  }

  /** A token as a device has it. */
  async device(email: string, description = 'phone'): Promise<{ token: string; id: string }> {
    return this.anonymous.form('/api/1/accounts/login/', {
      login: `email:${email}`,
      password: PASSWORD,
      permanent_auth: true,
      device_description: description,
    });
  }

  close(): void {
    this.anonymous.close();
  }
}
