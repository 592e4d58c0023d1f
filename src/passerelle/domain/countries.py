"""Countries by their ISO 3166-1 code: the French name, and the mobile country code of its networks (ITU-T E.212).

The one rule: every region that libphonenumber knows stands here, and nothing else.
"""

from __future__ import annotations

# Code, mobile country code, name.
_TABLE = """
AC 658 Île de l'Ascension|AD 213 Andorre|AE 424 Émirats arabes unis|AF 412 Afghanistan|AG 344 Antigua-et-Barbuda
AI 365 Anguilla|AL 276 Albanie|AM 283 Arménie|AO 631 Angola|AR 722 Argentine|AS 544 Samoa américaines|AT 232 Autriche
AU 505 Australie|AW 363 Aruba|AX 244 Îles Åland|AZ 400 Azerbaïdjan|BA 218 Bosnie-Herzégovine|BB 342 Barbade
BD 470 Bangladesh|BE 206 Belgique|BF 613 Burkina Faso|BG 284 Bulgarie|BH 426 Bahreïn|BI 642 Burundi|BJ 616 Bénin
BL 340 Saint-Barthélemy|BM 350 Bermudes|BN 528 Brunei|BO 736 Bolivie|BQ 362 Pays-Bas caribéens|BR 724 Brésil
BS 364 Bahamas|BT 402 Bhoutan|BW 652 Botswana|BY 257 Biélorussie|BZ 702 Belize|CA 302 Canada|CC 505 Îles Cocos
CD 630 République démocratique du Congo|CF 623 République centrafricaine|CG 629 Congo|CH 228 Suisse
CI 612 Côte d'Ivoire|CK 548 Îles Cook|CL 730 Chili|CM 624 Cameroun|CN 460 Chine|CO 732 Colombie|CR 712 Costa Rica
CU 368 Cuba|CV 625 Cap-Vert|CW 362 Curaçao|CX 505 Île Christmas|CY 280 Chypre|CZ 230 Tchéquie|DE 262 Allemagne
DJ 638 Djibouti|DK 238 Danemark|DM 366 Dominique|DO 370 République dominicaine|DZ 603 Algérie|EC 740 Équateur
EE 248 Estonie|EG 602 Égypte|EH 604 Sahara occidental|ER 657 Érythrée|ES 214 Espagne|ET 636 Éthiopie|FI 244 Finlande
FJ 542 Fidji|FK 750 Îles Malouines|FM 550 Micronésie|FO 288 Îles Féroé|FR 208 France|GA 628 Gabon|GB 234 Royaume-Uni
GD 352 Grenade|GE 282 Géorgie|GF 340 Guyane française|GG 234 Guernesey|GH 620 Ghana|GI 266 Gibraltar|GL 290 Groenland
GM 607 Gambie|GN 611 Guinée|GP 340 Guadeloupe|GQ 627 Guinée équatoriale|GR 202 Grèce|GT 704 Guatemala|GU 310 Guam
GW 632 Guinée-Bissau|GY 738 Guyana|HK 454 Hong Kong|HN 708 Honduras|HR 219 Croatie|HT 372 Haïti|HU 216 Hongrie
ID 510 Indonésie|IE 272 Irlande|IL 425 Israël|IM 234 Île de Man|IN 404 Inde
IO 995 Territoire britannique de l'océan Indien|IQ 418 Irak|IR 432 Iran|IS 274 Islande|IT 222 Italie|JE 234 Jersey
JM 338 Jamaïque|JO 416 Jordanie|JP 440 Japon|KE 639 Kenya|KG 437 Kirghizstan|KH 456 Cambodge|KI 545 Kiribati
KM 654 Comores|KN 356 Saint-Christophe-et-Niévès|KP 467 Corée du Nord|KR 450 Corée du Sud|KW 419 Koweït
KY 346 Îles Caïmans|KZ 401 Kazakhstan|LA 457 Laos|LB 415 Liban|LC 358 Sainte-Lucie|LI 295 Liechtenstein
LK 413 Sri Lanka|LR 618 Liberia|LS 651 Lesotho|LT 246 Lituanie|LU 270 Luxembourg|LV 247 Lettonie|LY 606 Libye
MA 604 Maroc|MC 212 Monaco|MD 259 Moldavie|ME 297 Monténégro|MF 340 Saint-Martin|MG 646 Madagascar
MH 551 Îles Marshall|MK 294 Macédoine du Nord|ML 610 Mali|MM 414 Myanmar|MN 428 Mongolie|MO 455 Macao
MP 310 Îles Mariannes du Nord|MQ 340 Martinique|MR 609 Mauritanie|MS 354 Montserrat|MT 278 Malte|MU 617 Maurice
MV 472 Maldives|MW 650 Malawi|MX 334 Mexique|MY 502 Malaisie|MZ 643 Mozambique|NA 649 Namibie
NC 546 Nouvelle-Calédonie|NE 614 Niger|NF 505 Île Norfolk|NG 621 Nigeria|NI 710 Nicaragua|NL 204 Pays-Bas
NO 242 Norvège|NP 429 Népal|NR 536 Nauru|NU 555 Niue|NZ 530 Nouvelle-Zélande|OM 422 Oman|PA 714 Panama|PE 716 Pérou
PF 547 Polynésie française|PG 537 Papouasie-Nouvelle-Guinée|PH 515 Philippines|PK 410 Pakistan|PL 260 Pologne
PM 308 Saint-Pierre-et-Miquelon|PR 330 Porto Rico|PS 425 Palestine|PT 268 Portugal|PW 552 Palaos|PY 744 Paraguay
QA 427 Qatar|RE 647 La Réunion|RO 226 Roumanie|RS 220 Serbie|RU 250 Russie|RW 635 Rwanda|SA 420 Arabie saoudite
SB 540 Îles Salomon|SC 633 Seychelles|SD 634 Soudan|SE 240 Suède|SG 525 Singapour|SH 658 Sainte-Hélène|SI 293 Slovénie
SJ 242 Svalbard et Jan Mayen|SK 231 Slovaquie|SL 619 Sierra Leone|SM 292 Saint-Marin|SN 608 Sénégal|SO 637 Somalie
SR 746 Suriname|SS 659 Soudan du Sud|ST 626 Sao Tomé-et-Principe|SV 706 Salvador
SX 362 Saint-Martin (partie néerlandaise)|SY 417 Syrie|SZ 653 Eswatini|TA 658 Tristan da Cunha
TC 376 Îles Turques-et-Caïques|TD 622 Tchad|TG 615 Togo|TH 520 Thaïlande|TJ 436 Tadjikistan|TK 554 Tokelau
TL 514 Timor oriental|TM 438 Turkménistan|TN 605 Tunisie|TO 539 Tonga|TR 286 Turquie|TT 374 Trinité-et-Tobago
TV 553 Tuvalu|TW 466 Taïwan|TZ 640 Tanzanie|UA 255 Ukraine|UG 641 Ouganda|US 310 États-Unis|UY 748 Uruguay
UZ 434 Ouzbékistan|VA 225 Vatican|VC 360 Saint-Vincent-et-les-Grenadines|VE 734 Venezuela
VG 348 Îles Vierges britanniques|VI 332 Îles Vierges des États-Unis|VN 452 Viêt Nam|VU 541 Vanuatu
WF 543 Wallis-et-Futuna|WS 549 Samoa|XK 221 Kosovo|YE 421 Yémen|YT 647 Mayotte|ZA 655 Afrique du Sud|ZM 645 Zambie
ZW 648 Zimbabwe|001 901 Réseau mondial
"""

_ROWS = [row.split(" ", 2) for line in _TABLE.split("\n") for row in line.split("|") if row]
NAMES: dict[str, str] = {code: name for code, _, name in _ROWS}
"""ISO 3166-1 alpha-2 -> French name; `001` stands for networks of no country."""

MOBILE_CODES: dict[str, str] = {code: mcc for code, mcc, _ in _ROWS}
"""ISO 3166-1 alpha-2 -> mobile country code, three digits; countries that share one have the same."""


def french_name(country: str) -> str:
    """The name of a country, its code where there is none."""
    return NAMES.get(country, country)
