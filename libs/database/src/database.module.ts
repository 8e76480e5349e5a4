import { type DynamicModule, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';

import { Database, UnitOfWork } from './database.js';
import { type DatabaseSettings, dataSourceOptions } from './data-source.options.js';

@Module({ providers: [Database, UnitOfWork], exports: [Database, UnitOfWork] })
export class DatabaseModule {
  /** The connection of the process; imported once by each app. Libs import the bare class for `Database` and `UnitOfWork`. */
  static forRoot(settings: DatabaseSettings): DynamicModule {
    return {
      module: DatabaseModule,
      imports: [TypeOrmModule.forRoot({ ...dataSourceOptions(settings), autoLoadEntities: true, retryAttempts: 0 })],
    };
  }

  /** `Database` and `UnitOfWork` for a lib that works on these entities too. */
  static forEntities(entities: (new () => object)[]): DynamicModule {
    return { module: DatabaseModule, imports: [TypeOrmModule.forFeature(entities)] };
  }
}
