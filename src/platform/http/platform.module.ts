import { Module, type DynamicModule } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import type { Kysely } from 'kysely';

import { ApiKeys } from '../auth/api-keys.js';
import { AuditController } from '../auth/audit.controller.js';
import { AuditLog } from '../auth/audit.js';
import { AuthGuard } from '../auth/auth.guard.js';
import { KeysController } from '../auth/keys.controller.js';
import { HealthController } from '../health/health.controller.js';
import { MetricsController } from '../health/metrics.controller.js';
import { Metrics } from '../health/metrics.js';
import { Readiness } from '../health/readiness.js';
import type { Database } from '../store/schema.js';
import { ErrorsPageController } from './errors-page.controller.js';

export interface PlatformParts {
  readonly db: Kysely<Database>;
  readonly keys: ApiKeys;
  readonly metrics: Metrics;
  readonly readiness: Readiness;
}

/** What every role serves: keys, audit, health, metrics, error pages; and the guard of all routes. */
@Module({})
export class PlatformModule {
  static with({ db, keys, metrics, readiness }: PlatformParts): DynamicModule {
    return {
      module: PlatformModule,
      global: true,
      controllers: [KeysController, AuditController, HealthController, MetricsController, ErrorsPageController],
      providers: [
        { provide: ApiKeys, useValue: keys },
        { provide: Metrics, useValue: metrics },
        { provide: Readiness, useValue: readiness },
        { provide: AuditLog, useValue: new AuditLog(db) },
        { provide: APP_GUARD, useClass: AuthGuard },
      ],
      exports: [ApiKeys, Metrics, Readiness, AuditLog],
    };
  }
}
