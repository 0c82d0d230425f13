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
import { ApiIdentity, DocsController } from '../openapi/docs.controller.js';
import type { Database } from '../store/schema.js';
import { ErrorsPageController } from './errors-page.controller.js';

export interface PlatformParts {
  readonly db: Kysely<Database>;
  readonly keys: ApiKeys;
  readonly metrics: Metrics;
  readonly readiness: Readiness;
  /** For the description of the API; without it, addresses in it are relative. */
  readonly publicUrl?: string;
  readonly version?: string;
}

/** What every role serves: keys, audit, health, metrics, error pages; and the guard of all routes. */
@Module({})
export class PlatformModule {
  static with({ db, keys, metrics, readiness, publicUrl = '/', version = '0.0.0' }: PlatformParts): DynamicModule {
    return {
      module: PlatformModule,
      global: true,
      controllers: [
        KeysController,
        AuditController,
        HealthController,
        MetricsController,
        ErrorsPageController,
        DocsController,
      ],
      providers: [
        { provide: ApiKeys, useValue: keys },
        { provide: Metrics, useValue: metrics },
        { provide: Readiness, useValue: readiness },
        { provide: AuditLog, useValue: new AuditLog(db) },
        { provide: ApiIdentity, useValue: new ApiIdentity(publicUrl, version) },
        { provide: APP_GUARD, useClass: AuthGuard },
      ],
      exports: [ApiKeys, Metrics, Readiness, AuditLog],
    };
  }
}
