import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { openPage, underItsName, type WatchedPage } from '../support/browser.js';
import { available } from '../support/services.js';
import { type SharedStack, sharedStack } from '../support/stack.js';

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly parameters: readonly { readonly name: string }[];
}

describe.runIf(available.browser)('the documentation in a browser', () => {
  let stack: SharedStack;
  let watched: WatchedPage;
  let page: Page;
  let document: { readonly info: { readonly title: string }; readonly paths: Record<string, Record<string, Operation>> };

  beforeAll(async () => {
    stack = await sharedStack();
    document = (await (await fetch(`${stack.baseUrl}/docs/cloudike/openapi.json`)).json()) as typeof document;
    watched = await openPage(underItsName(stack.baseUrl));
    ({ page } = watched);
    await page.goto('/docs');
  });

  afterAll(async () => {
    await watched?.close();
    await stack?.stop();
  });

  /** Scrolls half a screen; false at the end. The page holds only those operations that are near to what is in view. */
  const scrollOn = async (): Promise<boolean> =>
    page.evaluate<boolean>(`(async () => {
      const before = scrollY;
      scrollBy(0, innerHeight / 2);
      // two frames: one for the page to learn of it, one to draw
      await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
      return scrollY > before;
    })()`);

  /** What is in view, as `method path`. */
  const inView = async (): Promise<string[]> =>
    page
      .locator('.opblock-summary')
      .evaluateAll((blocks) =>
        blocks.map(
          (block) =>
            `${block.querySelector('.opblock-summary-method')?.textContent?.toLowerCase()} ${block.querySelector('.opblock-summary-path')?.getAttribute('data-path')}`,
        ),
      );

  const operation = ({ operationId }: Operation) => page.locator(`.opblock[id$="-${operationId}"]`);

  it('shows every operation of the Cloudike dialect, without an error and without a foreign host', async () => {
    await page.getByRole('heading', { name: document.info.title }).waitFor();
    await page.locator('.opblock').first().waitFor();
    const operations = Object.entries(document.paths).flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method} ${path}`));
    expect(operations.length).toBeGreaterThan(100);
    const shown = new Set(await inView());
    while (await scrollOn()) for (const name of await inView()) shown.add(name);
    expect([...shown].sort()).toEqual(operations.sort());
    await page.waitForLoadState('networkidle');
    expect(watched.problems).toEqual([]);
  });

  it('opens an operation, with its parameters and answers, and runs it', async () => {
    const login = document.paths['/api/1/accounts/login']!['get']!;
    const block = operation(login);
    await page.evaluate('scrollTo(0, 0)');
    while ((await block.count()) === 0) expect(await scrollOn()).toBe(true);
    await block.locator('.opblock-summary-control').click();
    await block.locator('.parameters').first().waitFor();
    expect(await block.locator('.opblock-summary-description').textContent()).toBe(login.summary);
    expect(await block.locator('tr[data-param-name]').evaluateAll((rows) => rows.map((row) => row.getAttribute('data-param-name')))).toEqual(
      login.parameters.map(({ name }) => name),
    );
    await block.getByRole('button', { name: 'Try it out' }).click();
    await block.locator('tr[data-param-name="login"] input').fill(`email:${stack.admin.email}`);
    await block.locator('tr[data-param-name="password"] input').fill(stack.admin.password);
    await block.getByRole('button', { name: 'Execute' }).click();
    const answer = block.locator('.live-responses-table .response').first();
    await answer.waitFor();
    expect(await answer.locator('.response-col_status').textContent()).toContain('200');
    expect(await answer.locator('.microlight').first().textContent()).toContain('"token"');
    expect(watched.problems).toEqual([]);
  });
});
