import { CLOUDIKE_DRIVER } from './cloudike.driver.js';
import type { ParityDriver } from './driver.js';
import { FILEAGO_DRIVER } from './fileago.driver.js';
import { KONEKSI_DRIVER } from './koneksi.driver.js';
import { MEDIASAUR_DRIVER } from './mediasaur.driver.js';
import { QUICKSYNC_DRIVER } from './quicksync.driver.js';

/** Every API that has joined the parity suite. */
export const DRIVERS: readonly ParityDriver[] = [CLOUDIKE_DRIVER, FILEAGO_DRIVER, KONEKSI_DRIVER, QUICKSYNC_DRIVER, MEDIASAUR_DRIVER];
