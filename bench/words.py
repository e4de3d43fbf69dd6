"""The words that the synthetic catalogue is made of; enough of them that no two works read alike."""

# ruff: noqa: SIM905 - words are easier to read without quotes

GIVEN_NAMES = """
Ada Amara Anders Anouk Astrid Beatriz Boris Bruno Camille Carlos Chiara Clara Dagny Dario Diego Dina Eamon
Edith Elif Elio Emeka Esra Farid Felix Fiona Freya Gala Gaspar Gita Greta Hana Hector Hiro Hugo Ida Ilse
Imran Ines Irina Ivo Jana Jiro Jonas Juno Kaito Karim Katja Kofi Lars Leila Lena Lior Luca Lupe Magda Malik
Mara Marek Mei Milan Mina Nadia Naoki Nell Nils Noor Oda Olga Omar Orla Otto Paola Pavel Petra Quinn Rafael
Rhea Rosa Ruben Saira Samuel Sanna Selim Sofia Soren Stella Tamar Tariq Tess Tomas Ulla Uma Vera Viktor
Wanda Wim Xenia Yara Yusuf Zeno Zita Zola
""".split()

FAMILY_NAMES = """
Abara Adler Aguilar Almeida Andersen Aoki Arslan Baptiste Barros Becker Bellini Bergman Blom Borges Brandt
Calloway Castell Cermak Chaudhry Conti Corrigan Costa Czerny Dahl Delacroix Demir Diallo Dobrev Donati Duarte
Eklund Eriksen Esposito Fabre Farkas Ferrante Fischer Fontaine Forsberg Galvez Ganesh Gerber Gunnar Haddad
Halloran Hartmann Hayashi Holm Horvat Ibarra Ishikawa Ivanova Jansen Jokela Kamara Kaplan Keller Khoury Kiraly
Klein Kovacs Kurosh Lachance Lindqvist Lombardi Lorenz Lund Madsen Maduro Marchetti Mbeki Mendes Mikkelsen
Moreau Mori Nakagawa Navarro Nielsen Novak Nyberg Obi Ohara Okafor Olsen Orlov Ortega Ozturk Palmer Pereira
Petrov Pohl Quintero Rahman Ramos Richter Rossi Sandoval Santini Sato Schuster Sorel Strand Suzuki Takeda
Tanaka Tavares Teller Thorne Toth Ueda Urban Valdez Varga Vasquez Vogel Wallin Weiss Winther Yamada Yildiz
Zanetti Zielinski
""".split()

ADJECTIVES = """
Amber Ancient Bitter Blind Borrowed Broken Burning Crimson Crooked Distant Divided Drifting Electric Empty
Endless Fallen Final First Forgotten Fragile Frozen Gentle Gilded Golden Hidden Hollow Invisible Iron Last
Late Little Lonely Lost Midnight Missing Nameless Northern Pale Paper Patient Perfect Quiet Reckless Restless
Salt Scarlet Second Secret Seventh Shallow Silent Silver Slow Stolen Stubborn Sudden Sunken Tender Thirteenth
Twisted Uncertain Unfinished Velvet Wandering Western Wild Winter Wooden
""".split()

NOUNS = """
Archive Atlas Bargain Beacon Bridge Cartographer Cathedral Choir Circus Clockmaker Colony Compass Confession
Corridor Country Crossing Daughter Detective Diary Dream Echo Empire Engine Exile Expedition Falcon Feast
Ferryman Fever Forest Fortune Fox Frontier Garden Ghost Glacier Guest Harbour Harvest Heir Horizon Hour House
Inheritance Island Journey Kingdom Labyrinth Lantern Letter Library Lighthouse Machine Map Masquerade Memory
Mirror Mountain Museum Neighbour Oath Ocean Orchard Orchestra Painter Passenger Pilot Pirate Planet Portrait
Promise Quarry River Road Rival Satellite Season Shadow Shore Signal Sister Song Stranger Summer Theatre Tide
Tower Train Treasure Tunnel Valley Verdict Violin Voyage Wager Watchmaker Wedding Widow Window Witness
""".split()

PLACES = """
Antwerp Athens Bahia Bergen Bogota Bombay Bratislava Cairo Casablanca Dakar Dublin Edinburgh Fez Genoa
Gdansk Hamburg Hanoi Havana Helsinki Istanbul Jakarta Kigali Kyoto Lagos Lima Lisbon Ljubljana Lyon Madeira
Manila Marseille Montreal Nagasaki Naples Nairobi Odessa Oran Oslo Palermo Penang Porto Prague Quito
Reykjavik Riga Samarkand Sarajevo Seville Shanghai Tallinn Tangier Tbilisi Trieste Tromso Valparaiso Varanasi
Vienna Warsaw Zanzibar Zurich
""".split()

TRAITS = """
ambitious ageing brilliant careful cynical deaf disgraced exhausted fearless former gifted grieving homesick
idealistic impulsive jaded lonely meticulous naive obsessive penniless proud reclusive retired runaway
sceptical shy stubborn superstitious unlucky widowed young
""".split()

CALLINGS = """
accountant acrobat archaeologist astronomer baker bank-robber beekeeper biologist boxer cartographer chemist
composer conductor cook dancer detective diplomat doctor engineer farmer fisherman forger gambler gardener
hacker historian inventor jeweller journalist judge lawyer librarian lighthouse-keeper magician mathematician
mechanic midwife musician nurse painter photographer pilot poet priest sailor sculptor singer smuggler soldier
spy surgeon tailor teacher thief translator violinist watchmaker
""".split()

DEEDS = (
    "solve a murder that nobody else believes in", "bring a stolen painting home", "cross a frozen border",
    "learn to live with a rival", "rob the casino that ruined a family", "raise a child in hiding",
    "win back a lost orchestra", "prove that a drowned village existed", "escape a prison on an island",
    "stop an epidemic", "land a damaged spacecraft", "teach robots to lie", "find a sister lost in the war",
    "defend an innocent stranger in court", "save the family vineyard", "survive a winter in the mountains",
    "decode a message from another galaxy", "choose between love and duty", "expose a corrupt minister",
    "ride across the desert with a stolen herd", "rescue hostages from a train", "keep a dying circus alive",
    "hunt a creature in the forest", "train a team of unlikely boxers", "uncover a secret in the archives",
    "break a curse that haunts the old theatre", "win the race around the world",
    "write one last great symphony", "travel back in time to prevent an accident",
    "negotiate peace between two clans",
)  # fmt: skip

STAKES = (
    "before the summer ends", "while the police close in", "and falls in love on the way",
    "although nobody remembers why", "as a storm cuts the town off from the world",
    "with nothing but an old map", "and discovers a family secret", "against the orders of the crown",
    "while the war comes nearer", "and pays a price nobody foresaw", "with the help of a talking parrot",
    "as the city sinks into darkness", "before the last ship leaves", "and learns what friendship means",
)  # fmt: skip

TONES = (
    "A tender comedy about growing old.", "A tense thriller told in a single night.",
    "A sweeping epic over three generations.", "A chilling tale of obsession and guilt.",
    "A quiet portrait of a marriage.", "A furious satire of power and money.",
    "A bright adventure for the whole family.", "A haunting meditation on memory.",
    "A gripping heist with a twist.", "A bittersweet romance between strangers.",
    "A visionary story of machines that dream.", "A tale of revenge on the high seas.",
)  # fmt: skip

KEYWORDS = """
amnesia artificial-intelligence betrayal boxing casino chess circus coming-of-age conspiracy cooking courtroom
curse desert divorce dystopia epidemic escape espionage family-secret first-love forgery friendship ghost
grief heist hostage immigration inheritance island jealousy journalism kidnapping lighthouse lost-love
midlife-crisis monster mountain murder music obsession orphan painting parallel-world pirate plague
police-corruption prison prophecy rebellion redemption revenge road-trip robot royalty sailing serial-killer
small-town space-travel spy storm survival theatre time-travel train treasure twins vampire vineyard war
wedding winter
""".split()
