import { describe, expect, it } from 'vitest';

import { auditedParams } from './audited-params.js';
import { ParamBag } from './param-bag.js';

const bag = (values: Record<string, unknown>): ParamBag => {
  const params = new ParamBag();
  params.addObject(values);
  return params;
};

describe('auditedParams', () => {
  it('keeps what a call is about', () => {
    const params = bag({ path: '/a/b', userid: 7, role: 'admin', value: 'true', paths: Array.from({ length: 30 }, (_, i) => `/${i}`) });
    const { kept } = auditedParams({ segments: { company_id: '3' }, tail: ['x', 'y'], params });
    expect(kept).toMatchObject({ company_id: '3', path: '/a/b', userid: 7, role: 'admin', value: 'true', paths_count: 30, tail: '/x/y' });
    expect(kept.paths).toHaveLength(20);
  });

  it('leaves secrets, hashes and texts out', () => {
    const secrets = {
      password: 'p',
      new_password: 'p',
      key: 'k',
      token: 't',
      hash: 'h',
      code: '123456',
      value: '1234',
      description: 'd',
      text: 'x',
      role: 'Two words',
      oauth_token: 'o',
    };
    const { kept, logins } = auditedParams({
      segments: { hash: 'secret', ticket: 'secret' },
      tail: [],
      params: bag({ ...secrets, login: 'email:a@b', email: '' }),
    });
    expect(kept).toEqual({});
    expect(logins).toEqual(['email:a@b']);
  });
});
