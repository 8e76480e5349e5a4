// The bare limit that metadata is held against: Nest on Express with one indexed, prepared query per request and nothing else.
import 'reflect-metadata';
import { Controller, Get, Module, Param } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import pg from 'pg';

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 });

class NodeController {
  async get(id) {
    const { rows } = await pool.query({ name: 'by_id', text: 'SELECT * FROM nodes WHERE id = $1', values: [id] });
    return rows[0];
  }
}
Param('id')(NodeController.prototype, 'get', 0);
Get('nodes/:id')(NodeController.prototype, 'get', Object.getOwnPropertyDescriptor(NodeController.prototype, 'get'));
Controller()(NodeController);

class BareModule {}
Module({ controllers: [NodeController] })(BareModule);

const app = await NestFactory.create(BareModule, { logger: false });
app.getHttpAdapter().getInstance().set('etag', false);
const server = await app.listen(0, '127.0.0.1');
process.send({ type: 'ready', port: server.address().port });
process.on('disconnect', () => process.exit(0));
