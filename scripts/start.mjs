import { LauncherError, loadDotEnv } from './lib/project.mjs';
import { warn } from './lib/progress.mjs';
import { StowageRun } from './lib/stowage-run.mjs';

const run = new StowageRun();
let firstSignalAt;

/** The first signal stops in order, a later one kills. Ctrl-C under npm arrives twice, from the terminal and from npm, hence the half second. */
function onSignal() {
  if (firstSignalAt === undefined) {
    firstSignalAt = performance.now();
    void run.stop().then(() => process.exit(0));
  } else if (performance.now() - firstSignalAt > 500) run.kill();
}

/** Says why, ends what runs and leaves with exit code 1. */
async function giveUp(text) {
  warn(text);
  await run.stop();
  process.exit(1);
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, onSignal);

// npm may be killed without a chance to pass the signal on; Stowage does not outlive the command that a person sees.
const parent = process.ppid;
if (process.env.npm_lifecycle_event === 'start')
  setInterval(() => process.ppid !== parent && firstSignalAt === undefined && onSignal(), 1000).unref();

try {
  loadDotEnv();
  await run.start();
  void run.failed.then((error) => giveUp(`Stowage stops: ${error.message}`));
} catch (error) {
  if (!run.stopping) await giveUp(error instanceof LauncherError ? `Stowage did not start: ${error.message}` : error.stack);
}
