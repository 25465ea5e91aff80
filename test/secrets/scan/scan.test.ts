// What a scan finds: values of the user's in every encoding, and credentials by their shape. No finding holds a part of a value.
import { expect, test } from 'vitest'
import { openScan } from '../../../src/secrets/scan/scan.ts'

const value = 'Zq8/r+Tt=uV0wXy1&zA2bC3'
const scan = openScan([{ name: 'MY_TOKEN', value }])

/** Made from parts, so that no scanner of this repository takes them for real. */
const made = {
  github: ['ghp', 'abcdefghijklmnopqrstuvwxyz0123456789'].join('_'),
  anthropicKey: ['sk-ant-api03', `${'a1B2'.repeat(23)}x-${'A'.repeat(7)}`].join('-').slice(0, 106).concat('AA'),
  anthropicLogin: ['sk-ant-oat01', 'abcdEFGH1234'.repeat(4)].join('-'),
  slack: ['xoxb', '12345678901', '1234567890123', 'abcdefghijklmnopqrstuvwx'].join('-'),
  key: `-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA${'q1W2e3R4'.repeat(6)}\n-----END RSA PRIVATE KEY-----`,
  aws: ['AKIA', 'QWERTYUIOPASDFGH'].join(''),
}

test.each([
  ['as it is', `x = ${value};`],
  ['base64', `data: ${Buffer.from(`user:${value}`).toString('base64')}`],
  ['base64', `data: ${Buffer.from(`u:${value} and more`).toString('base64url')}`],
  ['URL-encoded', `https://x.test/?k=${encodeURIComponent(value)}`],
  ['hexadecimal', Buffer.from(value).toString('hex')],
  ['JSON', JSON.stringify({ k: value }).replaceAll('/', '\\/')],
])('a known value is found: %s', async (form, line) => {
  const found = await scan(Buffer.from(`first line\nsecond ${line}\n`), 'a.txt')
  expect(found).toHaveLength(1)
  expect(found[0]).toMatchObject({ kind: 'known', name: 'MY_TOKEN', line: 2 })
  expect(found[0]?.form).toBe(form)
  expect(JSON.stringify(found)).not.toContain(value.slice(0, 6))
})

test('a known value is found in binary content and in UTF-16', async () => {
  expect(await scan(Buffer.concat([Buffer.alloc(9_000), Buffer.from(value)]), 'a.bin')).toMatchObject([
    { name: 'MY_TOKEN', line: 1, column: 9_001 },
  ])
  expect(await scan(Buffer.from(`\ufeffkey=${value}`, 'utf16le'), 'a.reg')).toMatchObject([{ name: 'MY_TOKEN', form: 'UTF-16' }])
})

test.each(Object.entries(made))('a format is found and its value not told: %s', async (_name, text) => {
  const found = await scan(Buffer.from(`a\nb\nvalue: ${text}\n`), 'a.txt')
  expect(found).toHaveLength(1)
  expect(found[0]).toMatchObject({ kind: 'format', line: 3 })
  expect(found[0]?.name).toMatch(/^[A-Z][A-Za-z .-]+$/i)
  expect(JSON.stringify(found)).not.toContain(text.slice(8, 20))
})

test('comments of the text do not switch the scan off', async () => {
  const text = `// secretlint-disable\n/* secretlint-disable */\n# secretlint-disable\n${made.github} // secretlint-disable-line\n`
  expect(await scan(Buffer.from(text), 'a.js')).toMatchObject([{ kind: 'format', line: 4 }])
})

test('long files are looked at to their end, each place once, lines counted right', async () => {
  const lines = Array.from({ length: 300_000 }, (_, at) => `line ${at}`)
  for (const at of [0, 99_999, 149_000, 299_999]) lines[at] = `k ${made.github}`
  const found = await scan(Buffer.from(lines.join('\n')), 'a.txt')
  expect(found.map(({ line }) => line)).toEqual([1, 100_000, 149_001, 300_000])
})

test('ordinary text has no finding', async () => {
  const text =
    'const token = process.env.GITHUB_TOKEN\npassword: ${PASSWORD}\nsha512-IcOR87MpNjp/WTO7bVMsIj3qkhVD+Qr\nhttps://example.test/a?b=c\n'
  expect(await scan(Buffer.from(text), 'a.ts')).toEqual([])
})
