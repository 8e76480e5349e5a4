import { appendFileSync } from 'node:fs';

export interface BenchRow {
  readonly bench: string;
  readonly what: string;
  /** The measured figure with its unit, as text. */
  readonly measured: string;
  /** The named limit that it was held against in the same run. */
  readonly limit: string;
  readonly kept: boolean;
}

/** Adds a row to the table of this run (file named by STOWAGE_BENCH_RESULTS) and prints it. A missed limit is shown, not thrown: speed is reported, never tested. */
export function report(row: BenchRow): void {
  process.stdout.write(`${row.kept ? 'kept  ' : 'MISSED'} ${row.bench}: ${row.what}: ${row.measured} (limit: ${row.limit})\n`);
  const file = process.env['STOWAGE_BENCH_RESULTS'];
  if (file) appendFileSync(file, `${JSON.stringify(row)}\n`);
}

/** 1234.5 -> "1,235". */
export function number(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}
