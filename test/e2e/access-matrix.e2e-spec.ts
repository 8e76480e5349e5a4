import 'reflect-metadata';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { allCases } from '../support/access-matrix/cases.js';
import { House } from '../support/access-matrix/house.js';
import { signatures, unclassed } from '../support/access-matrix/ids.js';
import { isOutside, NOT_IN_THE_MATRIX } from '../support/access-matrix/routes.js';
import { runCases } from '../support/access-matrix/run.js';
import { type Stack, startStack } from '../support/stack.js';

// Who gets what: generated from test/support/access-matrix/model.ts, which knows the contract and not the code.
// One case again: ACCESS_MATRIX_ONLY='reader|content|team.png' npm test -- --only e2e-embedded -- test/e2e/access-matrix.e2e-spec.ts

describe('the list of routes', () => {
  it('has every route of the dialect in the matrix, or a reason why not', () => {
    const routes = signatures().map(({ template }) => template);
    const asked = new Set(allCases().map(({ route }) => route));
    expect(routes.filter((route) => !asked.has(route) && !isOutside(route))).toEqual([]);
    expect([...asked, ...Object.keys(NOT_IN_THE_MATRIX)].filter((route) => !routes.includes(route))).toEqual([]);
    expect(Object.keys(NOT_IN_THE_MATRIX).filter((route) => asked.has(route))).toEqual([]);
  });

  it('knows of every parameter whether it is an id', () => {
    expect(unclassed()).toEqual([]);
  });
});

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
    const cases = allCases().filter(({ id }) => !only || id.includes(only));
    const before = await house.picture();
    const begun = Date.now();
    const mismatches = await runCases(house, cases);
    const seconds = Math.round((Date.now() - begun) / 1000);
    const shown = mismatches.map(({ id, why }) => `  ACCESS_MATRIX_ONLY='${id}'  ${why}`).join('\n');
    process.stdout.write(
      `access matrix: ${cases.length} cases, ${mismatches.length} mismatches (${house.client.requests} requests, ${seconds} s)\n${shown}\n`,
    );
    expect(mismatches.slice(0, 50)).toEqual([]);
    expect(await house.picture()).toEqual(before);
    if (!only) expect(cases.length).toBeGreaterThanOrEqual(20_000);
  });
});
