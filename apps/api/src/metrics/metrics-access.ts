import { Inject, Injectable } from '@nestjs/common';
import { bears } from '#libs/observability/metrics.js';
import { forbidden, passwordChangeDue, unauthorized } from '../auth/auth.errors.js';
import { Authenticator } from '../auth/authenticator.js';
import { API_SETTINGS, type ApiSettings } from '../runtime.module.js';

/** Who may read the figures: an admin, or Prometheus with the token of its own. */
@Injectable()
export class MetricsAccess {
  constructor(
    @Inject(API_SETTINGS) private readonly settings: ApiSettings,
    private readonly authenticator: Authenticator,
  ) {}

  /** @throws AppError `auth.unauthorized`, `auth.forbidden`, `auth.password_change_required` */
  async admit(authorization: string | undefined): Promise<void> {
    const { METRICS_TOKEN: token } = this.settings;
    if (token !== undefined && bears(authorization, token)) return;
    const access = /^Bearer (\S{1,8192})$/i.exec(authorization ?? '')?.[1];
    if (access === undefined) throw unauthorized();
    const { user, mustChangePassword } = await this.authenticator.authenticate(access);
    if (mustChangePassword) throw passwordChangeDue();
    if (user.role !== 'admin') throw forbidden();
  }
}
