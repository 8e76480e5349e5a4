import { Bool, Int } from '../http/index.js';

export class GetFileDto {
  @Int({ description: 'A version of the file; the current one when absent.' })
  version?: number;

  @Bool({ description: 'true: shown by the browser; false: saved.' })
  forView?: boolean;

  @Bool({ description: 'true: also for a file in the trash.' })
  deleted?: boolean;
}
