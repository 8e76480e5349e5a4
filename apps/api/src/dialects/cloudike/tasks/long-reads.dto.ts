import { Path, Text } from '../http/index.js';

export class FullListingDto {
  @Text({ maxBytes: 256, description: 'Absent: start; else the id of the first answer.' })
  listingRequestId?: string;
}

export class OptionalPathDto {
  @Path({ description: 'The folder; absent = the root.' })
  path?: string[];
}
