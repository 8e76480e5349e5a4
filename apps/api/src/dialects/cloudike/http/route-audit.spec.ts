import { describe, expect, it } from 'vitest';

import { CLOUDIKE_CONTROLLERS } from '../cloudike.module.js';
import type { RouteMetadata } from './route-metadata.js';
import { routesOf } from './routes-of.js';

const routes = CLOUDIKE_CONTROLLERS.flatMap((controller) => routesOf(controller));
const of = (audit: RouteMetadata['audit']): string[] =>
  routes.filter((route) => route.audit === audit).map(({ name }) => name.replace('Controller.', '.'));

/** Words that say of a template that it changes something. */
const CHANGES =
  /(^|[/_])(add|accept|admin_change|approve|assign|authorize|cancel|change|choose|clear|confirm|copy|create|decline|delete|deny|disable|edit|enable|hide|invite|leave|login|logout|make|move|purge|reject|remove|rename|request|reset|restore|set|undelete|uninvite|unlock|unshare|update|upload|wiped)(?=[/_]|$)/;
/** Templates that sound so and only read. */
const SOUND_ONLY = new Set(['soft/get_update', 'soft/list_updates', 'files/versions_to_update', 'shares/company/requests', 'files/search']);

describe('what routes mean for the audit', () => {
  it('is none only where nothing in the template says that it changes something', () => {
    const silent = routes.filter(({ audit }) => audit === 'none' || audit === 'derived');
    const strange = silent.filter(({ templates }) => templates.some((template) => CHANGES.test(template) && !SOUND_ONLY.has(template)));
    expect(strange.map(({ name, templates }) => `${name} ${templates.join(' ')}`)).toEqual([
      'PreviewsController.create files/create_extra',
      'PreviewsController.createOfLink links/create_extra',
      'PreviewsController.createOfShare shares/create_extra',
    ]);
  });

  it('is derived for previews, tickets and notices alone', () => {
    expect(of('derived').sort()).toEqual([
      'Events.noticeList',
      'Events.ticket',
      'Kukudocs.view',
      'Kukudocs.viewLink',
      'Previews.create',
      'Previews.createOfLink',
      'Previews.createOfShare',
      'Previews.get',
      'Previews.getOfLink',
      'Previews.getOfShare',
    ]);
  });

  it('is a sign-in wherever a token comes out without one going in', () => {
    expect(of('sign-in')).toEqual(
      expect.arrayContaining([
        'Session.login',
        'Session.loginByPhone',
        'Session.loginByKey',
        'Session.requestToken',
        'Session.authorize',
        'Session.oauthConfirm',
        'Oauth1.authorize',
        'Oauth1.accessToken',
      ]),
    );
    expect(of('change').length).toBeGreaterThan(120);
  });
});
