// A worker process that a test kills: runs `files.purge` in endless batches and reports each saved one.
import { UnitOfWork } from '#libs/database';

import { startWorker } from './queue-harness.js';

const services = { databaseUrl: process.env.TEST_DATABASE_URL!, redisUrl: process.env.TEST_REDIS_URL || undefined };
const { app } = await startWorker(services, {
  tasks: {
    'files.purge': async (_input, context) => {
      for (let batch = ((context.checkpoint as { batch?: number } | null)?.batch ?? 0) + 1; ; batch++) {
        await context.throwIfCancelled();
        await unitOfWork.run(() => context.saveProgress(batch, { batch }));
        process.send!({ batch });
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
  },
});
const unitOfWork = app.get(UnitOfWork);
process.send!({ ready: true });
