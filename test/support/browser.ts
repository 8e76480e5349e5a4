import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll } from 'vitest';

/** A page in a browser context of its own (nothing is remembered from other pages), with everything about it that should make a test fail. */
export interface WatchedPage {
  readonly page: Page;
  /** Errors on the console, exceptions nobody caught, answers from 400 on, and requests to other origins than the given one, each as one line. */
  readonly problems: readonly string[];
  close(): Promise<void>;
}

const NAME = 'stowage.test';
let browser: Promise<Browser> | undefined;

afterAll(async () => {
  await (await browser)?.close();
  browser = undefined;
});

/** The same Stowage under a name that only the browser knows: on localhost some scripts leave out what they do everywhere else. */
export function underItsName(baseUrl: string): string {
  const url = new URL(baseUrl);
  url.hostname = NAME;
  return url.origin;
}

/** Opens an empty page for the Stowage at `baseUrl`; relative addresses lead there. The first call starts the browser, which ends with the test file. */
export async function openPage(baseUrl: string): Promise<WatchedPage> {
  browser ??= launch();
  const context = await (await browser).newContext({ baseURL: baseUrl, locale: 'en-GB', serviceWorkers: 'block' });
  const page = await context.newPage();
  const problems: string[] = [];
  const { origin } = new URL(baseUrl);
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => problems.push(`exception: ${error.message}`));
  page.on('response', (response) => {
    if (response.status() >= 400) problems.push(`answer: ${response.status()} for ${response.url()}`);
  });
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (/^(https?|wss?):$/.test(url.protocol) && url.origin !== origin) problems.push(`foreign: ${request.url()}`);
  });
  return { page, problems, close: () => context.close() };
}

function launch(): Promise<Browser> {
  const executablePath = process.env.STOWAGE_TEST_CHROMIUM;
  if (!executablePath) throw new Error('STOWAGE_TEST_CHROMIUM is not set: run this through "npm test"');
  return chromium.launch({
    executablePath,
    // Root, and users on systems without user namespaces, cannot have one; the pages are our own.
    chromiumSandbox: false,
    // Neither a page nor the browser itself reaches anything but this machine.
    args: [`--host-resolver-rules=MAP ${NAME} 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost`],
  });
}
