// One GET with the client of node. Arguments: base URL, path, query, then headers.
const [base, path, query, ...given] = process.argv.slice(2);
const headers = Object.fromEntries(given.map((line) => line.split(': ')));
require(base.startsWith('https') ? 'https' : 'http')
  .get(base + path + '?' + query, { headers }, (res) => {
    let data = '';
    res.on('data', (chunk) => { data += chunk; });
    res.on('end', () => { process.stdout.write(data); });
  })
  .on('error', (err) => { console.error(err.message); process.exit(1); });
