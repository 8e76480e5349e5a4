import { afterEach } from 'vitest';

import { runningLogs } from './stack.js';

// Run before each e2e file, also where files share their modules.
afterEach(({ task }) => {
  if (task.result?.state === 'fail') process.stderr.write(runningLogs());
});
