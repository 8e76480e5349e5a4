import { Injectable, type OnModuleInit } from '@nestjs/common';

import { RegistrationService } from '#libs/accounts';

import { InvitationService } from './invitation.service.js';

/** Gives people who register by the mail of an invitation the folders that they were invited to. */
@Injectable()
export class InvitedFollower implements OnModuleInit {
  constructor(
    private readonly registration: RegistrationService,
    private readonly invitations: InvitationService,
  ) {}

  onModuleInit(): void {
    this.registration.onInvitedArrived((accountId) => this.invitations.acceptWaiting(accountId));
  }
}
