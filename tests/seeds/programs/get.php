<?php
// One GET with curl, as a web site makes it. Arguments: base URL, path, query, then headers.
[, $base, $path, $query] = $argv;
$curl = curl_init();
curl_setopt($curl, CURLOPT_URL, $base . $path . '?' . $query);
curl_setopt($curl, CURLOPT_RETURNTRANSFER, true);
curl_setopt($curl, CURLOPT_TIMEOUT, 10);
if (count($argv) > 4) {
    curl_setopt($curl, CURLOPT_HTTPHEADER, array_slice($argv, 4));
}
$result = curl_exec($curl);
if (curl_errno($curl)) {
    fwrite(STDERR, curl_error($curl));
    exit(1);
}
echo $result;
