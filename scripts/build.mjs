import { build } from './lib/build.mjs';
import { LauncherError } from './lib/project.mjs';
import { say, seconds, warn } from './lib/progress.mjs';

try {
  const { built, total } = await build();
  say(`build: ${built} of ${total} files in ${seconds(performance.now())}`);
} catch (error) {
  warn(error instanceof LauncherError ? error.message : error.stack);
  process.exitCode = 1;
}
