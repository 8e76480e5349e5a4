import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';

import { JOB_NAMES, type JobName } from '../catalogue.js';
import { handledJob, type JobHandler } from '../handler.js';

/** Finds the handler of every job. The boot fails when one is missing or doubled. */
@Injectable()
export class HandlerRegistry implements OnApplicationBootstrap {
  private readonly handlers = new Map<JobName, JobHandler<JobName>>();

  constructor(private readonly discovery: DiscoveryService) {}

  onApplicationBootstrap(): void {
    const found = discover<JobHandler<JobName>>(this.discovery, handledJob);
    assertOneEach('job', JOB_NAMES, found);
    for (const name of JOB_NAMES) this.handlers.set(name, found.get(name)![0]!);
  }

  get(name: JobName): JobHandler<JobName> {
    const handler = this.handlers.get(name);
    if (!handler) throw new Error(`no handler for the job ${name}`);
    return handler;
  }
}

/** All provider instances whose class `nameOf` gives a name, by that name. */
export function discover<T extends object>(discovery: DiscoveryService, nameOf: (target: object) => string | undefined): Map<string, T[]> {
  const found = new Map<string, T[]>();
  for (const { instance } of discovery.getProviders()) {
    if (instance === null || typeof instance !== 'object') continue;
    const name = nameOf((instance as object).constructor);
    if (name === undefined) continue;
    const others = found.get(name) ?? [];
    if (!others.includes(instance as T)) found.set(name, [...others, instance as T]);
  }
  return found;
}

/** Throws with one text that names everything missing, doubled or unknown. */
export function assertOneEach(what: string, names: readonly string[], found: ReadonlyMap<string, readonly object[]>): void {
  const missing = names.filter((name) => !found.has(name));
  const doubled = [...found].filter(([, instances]) => instances.length > 1);
  const unknown = [...found.keys()].filter((name) => !names.includes(name));
  const faults = [
    ...(missing.length > 0 ? [`no handler for ${missing.join(', ')}`] : []),
    ...doubled.map(([name, instances]) => `${instances.length} handlers for ${name} (${instances.map((i) => i.constructor.name).join(', ')})`),
    ...(unknown.length > 0 ? [`handlers for names outside of the catalogue: ${unknown.join(', ')}`] : []),
  ];
  if (faults.length > 0) throw new Error(`The worker cannot start: every ${what} needs exactly one handler, but there are ${faults.join('; ')}.`);
}
