import { type ChildProcess, fork } from 'node:child_process';
import { resolve } from 'node:path';

import { CloudikeUser } from '../../support/cloudike-user.js';
import { type Stack, startStack } from '../../support/stack.js';

/** A stack for measuring: logs off, no mail, everything else as in production. */
export async function startBenchStack(): Promise<Stack> {
  return startStack({ env: { STOWAGE_ACCOUNT_CONFIRMATION: 'off', STOWAGE_LOG_LEVEL: 'error' } });
}

/** A new user whose home space exists. */
export async function newUser(stack: Stack): Promise<CloudikeUser> {
  const user = await CloudikeUser.register(stack.baseUrl);
  await user.metadata('/');
  return user;
}

/** A baseline server as a process of its own, like the api it is compared with. */
export async function startBaseline(
  script: string,
  env: Record<string, string>,
  args: string[] = [],
): Promise<{ url: string; stop: () => Promise<void> }> {
  const child: ChildProcess = fork(resolve('test/bench/baselines', script), args, { env: { ...process.env, ...env }, execArgv: [] });
  const port = await new Promise<number>((done, fail) => {
    child.once('message', (message: { port: number }) => done(message.port));
    child.once('exit', (code) => fail(new Error(`${script} ended with ${code}`)));
  });
  return {
    url: `http://127.0.0.1:${port}`,
    stop: () =>
      new Promise((done) => {
        child.removeAllListeners('exit');
        child.once('exit', () => done());
        child.disconnect();
      }),
  };
}
