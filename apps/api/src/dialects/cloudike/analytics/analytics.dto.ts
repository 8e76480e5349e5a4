import { Int, List, Text } from '../http/index.js';

class TimeRangeDto {
  @Int({ required: true, description: 'Seconds since the epoch; the period that it lies in belongs to the answer.' })
  dateFrom!: number;

  @Int({ required: true, description: 'Seconds since the epoch.' })
  dateTo!: number;
}

export class GetDataDto extends TimeRangeDto {
  @Text({ required: true, maxBytes: 128 })
  metric!: string;

  @Text({ maxBytes: 16, description: 'day, week or month; day when absent.' })
  period?: string;

  @Text({ maxBytes: 1_024, description: 'Of the users; all when absent.' })
  region?: string;
}

export class GetMultipleDataDto extends TimeRangeDto {
  @List({ required: true, maxItems: 200 })
  metrics!: string[];
}

export class CsvDownloadDto {
  @Text({ maxBytes: 16, description: 'users or companies.' })
  type?: string;

  @Text({ maxBytes: 254, description: 'Where the list goes; the own address when absent.' })
  email?: string;
}
