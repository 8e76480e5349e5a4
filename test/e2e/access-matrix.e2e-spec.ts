import 'reflect-metadata';

import { readdir } from 'node:fs/promises';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { FRAMED_DIALECTS } from '../../apps/api/src/documents.js';
import { framedOutside, framedRoutes, MATRIX_APIS } from '../support/access-matrix/apis/index.js';
import { allCases } from '../support/access-matrix/cases.js';
import { House } from '../support/access-matrix/house.js';
import { signatures, unclassed } from '../support/access-matrix/ids.js';
import { prepareRuledPeople } from '../support/access-matrix/policies.js';
import { NOT_IN_THE_MATRIX } from '../support/access-matrix/routes.js';
import { runCases } from '../support/access-matrix/run.js';
import { type Stack, startStack } from '../support/stack.js';

// Who gets what: generated from test/support/access-matrix/model.ts, which knows the contract and not the code.
// One case again: ACCESS_MATRIX_ONLY='reader|content|team.png' npm test -- --only e2e-embedded -- test/e2e/access-matrix.e2e-spec.ts

describe('the list of routes', () => {
  it('has every route of every API in the matrix, or a reason why not', () => {
    const routes = [...signatures().map(({ template }) => template), ...framedRoutes()];
    const outside = Object.keys({ ...NOT_IN_THE_MATRIX, ...framedOutside() });
    const asked = new Set(allCases().map(({ route }) => route));
    expect(routes.filter((route) => !asked.has(route) && !outside.includes(route))).toEqual([]);
    expect([...asked, ...outside].filter((route) => !routes.includes(route))).toEqual([]);
    expect(outside.filter((route) => asked.has(route))).toEqual([]);
  });

  it('has every API that there is', async () => {
    const folders = await readdir('apps/api/src/dialects');
    expect(['cloudike', ...MATRIX_APIS.map(({ dialect }) => dialect.name)].sort()).toEqual(folders.sort());
    expect(MATRIX_APIS.map(({ dialect, controllers }) => ({ dialect, controllers }))).toEqual(FRAMED_DIALECTS);
  });

  it('knows of every parameter whether it is an id', () => {
    expect(unclassed()).toEqual([]);
  });
});

/** A whole run asks everything once: every second case in the embedded default, the others with S3 and Redis, which decide nothing about access. */
const asked = (index: number): boolean => index % 2 === (process.env.STOWAGE_TEST_MODE === 'services' ? 1 : 0);

describe('the access matrix', () => {
  let stack: Stack;
  let house: House;

  beforeAll(async () => {
    stack = await startStack({ env: { STOWAGE_ACCOUNT_CONFIRMATION: 'off' } });
    house = await House.build(stack);
  });
  afterAll(async () => {
    await house?.close();
    await stack?.stop();
  });

  it('holds for every account, guest, node, representation and spelling', async () => {
    const only = process.env.ACCESS_MATRIX_ONLY;
    const cases = allCases().filter(({ id }, index) => (only ? id.includes(only) : asked(index)));
    const before = await house.picture();
    const begun = Date.now();
    if (cases.some(({ id }) => id.includes('|policy'))) prepareRuledPeople(house);
    const mismatches = await runCases(house, cases);
    const seconds = Math.round((Date.now() - begun) / 1000);
    const shown = mismatches.map(({ id, why }) => `  ACCESS_MATRIX_ONLY='${id}'  ${why}`).join('\n');
    process.stdout.write(
      `access matrix: ${cases.length} cases, ${mismatches.length} mismatches (${house.client.requests} requests, ${seconds} s)\n${shown}\n`,
    );
    expect(mismatches.slice(0, 50)).toEqual([]);
    expect(await house.picture()).toEqual(before);
    expect(allCases().length).toBeGreaterThanOrEqual(20_000);
  });
});
