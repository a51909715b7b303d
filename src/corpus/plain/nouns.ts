/** Common nouns by sort; a noun of the lists in MASS takes no "a" and no plural, one in PAIRS is always plural. */
import { list } from "./list.js";

export const NOUNS = {
  role: list(`accountant, actor, architect, artist, assistant, author, baker, banker, barber, boss, builder, bus driver, butcher,
    captain, carpenter, cashier, chef, chemist, cleaner, clerk, coach, colleague, cook, criminal, customer, dancer, dentist,
    detective, director, doctor, driver, editor, electrician, engineer, expert, farmer, fireman, fisherman, gardener, general,
    guard, guest, guide, historian, hunter, inspector, inventor, journalist, judge, king, landlord, lawyer, leader, librarian,
    manager, mayor, mechanic, merchant, minister, musician, neighbour, nurse, officer, old man, owner, painter, passenger,
    patient, photographer, pianist, pilot, plumber, poet, policeman, politician, postman, president, priest, prince, prisoner,
    professor, programmer, prime minister, queen, receptionist, reporter, researcher, sailor, salesman, scientist, secretary,
    senator, sergeant, shopkeeper, singer, soldier, spy, stranger, student, surgeon, tailor, taxi driver, teacher, thief,
    tourist, trader, translator, vet, victim, visitor, waiter, waitress, witness, worker, writer, young woman`),
  maleKin: list(
    "brother, boyfriend, cousin, dad, father, grandfather, husband, nephew, older brother, son, stepfather, uncle, grandson, father-in-law",
  ),
  femaleKin: list(
    "aunt, daughter, girlfriend, grandmother, mother, mum, niece, sister, wife, younger sister, granddaughter, stepmother, mother-in-law",
  ),
  friend: list(
    "friend, best friend, boss, neighbour, flatmate, roommate, classmate, partner, dentist, lawyer, teacher, colleague, landlord",
  ),
  people:
    list(`children, workers, students, tourists, soldiers, farmers, police, neighbours, parents, players, voters, guests,
    passengers, scientists, women, men, doctors, nurses, teachers, twins, boys, girls, fans, customers, villagers, engineers,
    firefighters, musicians, visitors, reporters, sailors, volunteers, refugees, protesters, owners`),
  group:
    list(`government, army, company, committee, team, council, parliament, court, navy, union, party, church, bank, press,
    jury, board, family, orchestra, crew, club, ministry, school, university, airline, city council, hospital, museum, factory`),
  place:
    list(`airport, bakery, bank, bar, beach, bookshop, bridge, bus stop, cafe, castle, cathedral, cemetery, church, cinema, city
    centre, clinic, college, court, embassy, factory, farm, forest, gallery, garage, garden, gym, harbour, hospital, hotel,
    lake, laboratory, library, market, mosque, museum, office, opera, palace, park, petrol station, pharmacy, police station, pool,
    post office, prison, pub, restaurant, river, school, shop, square, stadium, station, studio, supermarket, temple, theatre,
    town hall, university, village, warehouse, zoo, theme park, shopping centre, swimming pool, coast, border, island`),
  room: list(`attic, balcony, basement, bathroom, bedroom, cellar, classroom, corridor, dining room, hall, kitchen, living room, lobby,
    meeting room, shed, waiting room, yard, courtyard, corner, staircase`),
  building:
    list(`apartment, barn, block of flats, bungalow, cabin, chapel, cottage, fence, flat, house, hut, monument, skyscraper, tower, villa,
    tunnel, wall, roof, lighthouse, mansion, stable, statue, fountain, dam, mill, bridge, hotel, school`),
  road: list(
    "road, street, avenue, motorway, lane, path, alley, highway, bridge, main road, roundabout, crossing, footpath, railway line",
  ),
  machine:
    list(`alarm clock, boiler, camera, cooker, dishwasher, engine, fan, freezer, fridge, hairdryer, heater, iron, kettle, lamp, lift,
    microwave, oven, printer, radio, record player, sewing machine, shower, stove, tap, television, toaster, typewriter, vacuum cleaner,
    washing machine, watch, clock, computer, laptop, lawnmower, generator, pump, lock, bicycle, car, roof, door, piano, guitar`),
  appliance: list(
    "boiler, computer, cooker, dishwasher, fan, freezer, fridge, heater, iron, kettle, lamp, laptop, light, microwave, oven, printer, radio, stereo, television, toaster, vacuum cleaner, washing machine",
  ),
  seat: list("armchair, bed, bench, blanket, carpet, chair, cushion, mattress, pillow, rug, sofa, stool, table, desk"),
  gadget:
    list(`app, battery, calculator, charger, computer, email account, file, hard drive, headset, keyboard, laptop, microphone, monitor,
    mouse, password, phone, printer, program, router, satellite, scanner, screen, server, speaker, tablet, website, camera, robot`),
  household:
    list(`armchair, bag, basket, bath, bed, bench, blanket, blind, bottle, bowl, box, broom, brush, bucket, bulb, candle, carpet,
    chair, chest, comb, cup, cupboard, curtain, cushion, desk, dish, drawer, envelope, fork, frame, frying pan, glass, hammer, handbag,
    jar, jug, key, knife, ladder, mat, mattress, mirror, mug, nail, needle, pan, parcel, pencil, pen, picture, pillow, plate, pot, purse, razor,
    rope, rug, saucepan, saw, screwdriver, sheet, shelf, sofa, sponge, spoon, stool, suitcase, table, teapot, toothbrush, torch, towel,
    toy, tray, umbrella, vase, wallet, wardrobe, whistle, notebook, doll, kite, ball, violin, drum, flute, trumpet, chessboard, ring, necklace`),
  document:
    list(`article, bill, book, brochure, card, catalogue, certificate, contract, cookbook, diary, dictionary, document, email, essay, form, invoice, invitation,
    letter, list, magazine, manual, map, memo, menu, message, newspaper, note, novel, passport, petition, poem, postcard, prescription, receipt,
    recipe, report, script, story, summary, textbook, thesis, ticket, timetable, will, biography, blog post, speech, review`),
  show: list(
    "ballet, cartoon, comedy, concert, documentary, film, football match, game, match, musical, news, parade, play, programme, race, series, show, thriller, tennis match, quiz",
  ),
  food: list(`apple, avocado, banana, biscuit, burger, cake, carrot, cherry, chicken, cookie, cucumber, curry, doughnut, egg, grape, hamburger, kebab,
    lemon, lobster, mango, melon, mushroom, omelette, onion, orange, pancake, peach, pear, pepper, pie, pineapple, pizza, plum, potato, pudding, pumpkin,
    salad, sandwich, sausage, steak, stew, strawberry, tomato, waffle, meal, snack, roast, coconut`),
  foodStuff:
    list(`bacon, beef, bread, butter, cabbage, cheese, chocolate, cream, fish, flour, fruit, garlic, ham, honey, ice cream, jam, lamb, meat, oil, pasta,
    pork, porridge, rice, salt, soup, spinach, sugar, sushi, toast, tofu, tuna, yoghurt, cereal, mustard, salmon, popcorn`),
  drink: list(
    "beer, champagne, cider, cocoa, coffee, gin, juice, lemonade, milk, mineral water, orange juice, red wine, rum, tea, vodka, water, whisky, white wine, wine, green tea, black coffee",
  ),
  garment:
    list(`apron, belt, blouse, cap, cardigan, cloak, coat, costume, dress, hat, helmet, hood, jacket, jumper, raincoat, robe, scarf, shirt,
    skirt, suit, sweater, tie, T-shirt, uniform, vest, waistcoat, dressing gown`),
  clothesPair: list(
    "boots, gloves, jeans, pyjamas, sandals, shoes, shorts, slippers, socks, stockings, tights, trainers, trousers, glasses, sunglasses, clothes, earrings, scissors, binoculars",
  ),
  vehicle:
    list(`ambulance, bicycle, bike, boat, bus, canoe, car, caravan, coach, ferry, fire engine, helicopter, jeep, lorry, minibus, motorbike, motorcycle,
    pickup, plane, rocket, sailing boat, scooter, ship, sledge, sports car, submarine, tank, taxi, tractor, train, tram, truck, van, yacht`),
  ride: list("bus, train, plane, ferry, tram, taxi, boat, coach, flight, night train"),
  body: list(
    "ankle, arm, back, chest, ear, elbow, eye, finger, foot, hand, head, heart, hip, jaw, knee, leg, lip, neck, nose, rib, shoulder, skin, stomach, thumb, toe, tongue, tooth, wrist",
  ),
  illness: list(
    "cold, fever, headache, cough, sore throat, toothache, bad cold, stomach ache, broken leg, black eye, heart attack, rash, allergy",
  ),
  nature:
    list(`bay, bush, canyon, cave, cliff, cloud, desert, field, flower, hill, jungle, leaf, meadow, moon, mountain, ocean, oak, pine, pond, rainbow, rock,
    rose, sea, sky, star, stone, stream, sunrise, sunset, swamp, tree, valley, volcano, waterfall, wave, wood, glacier, planet, horizon`),
  weather: list("fog, frost, hail, heat, ice, lightning, mist, rain, snow, sunshine, thunder, wind, drizzle, sleet"),
  disaster: list(
    "storm, flood, earthquake, fire, hurricane, accident, strike, war, explosion, crash, election, power cut, attack, revolution, crisis, epidemic, drought, scandal, robbery",
  ),
  animal:
    list(`ant, bat, bear, bee, beetle, bird, bull, butterfly, camel, cat, chicken, cow, crab, crocodile, crow, deer, dog, dolphin, donkey, duck, eagle,
    elephant, fox, frog, giraffe, goat, goose, hawk, hedgehog, hen, horse, kangaroo, lamb, lion, lizard, monkey, moth, mule, octopus, ostrich, owl, parrot,
    penguin, pig, pigeon, pony, puppy, rabbit, rat, raven, robin, seagull, seal, shark, sheep, snail, snake, sparrow, spider, squirrel, swan, tiger, turtle, wasp, whale, wolf, worm, zebra, kitten`),
  pet: list("cat, dog, hamster, horse, parrot, puppy, rabbit, kitten, goldfish, pony, tortoise, guinea pig"),
  abstractStuff:
    list(`anger, art, beauty, business, comfort, courage, crime, death, democracy, education, energy, faith, fame, fear, fashion, freedom, friendship,
    grief, happiness, hatred, health, history, honesty, hope, hunger, jealousy, justice, kindness, knowledge, law, life, loneliness, love, luck, marriage, memory, money, music, nature, patience, peace,
    philosophy, poetry, politics, poverty, power, pride, progress, religion, science, silence, success, technology, time, trade, tradition, trust, truth, violence, war, wealth, wisdom, work, youth, childhood, respect, loyalty`),
  subject:
    list(`algebra, archaeology, architecture, astronomy, biology, chemistry, computer science, drama, economics, engineering, football, geography, geometry, history, law, literature,
    mathematics, medicine, music, philosophy, physics, politics, psychology, religion, statistics, design, journalism, accounting`),
  sport: list(
    "badminton, baseball, basketball, billiards, cards, chess, cricket, football, golf, hockey, rugby, squash, table tennis, tennis, volleyball, video games",
  ),
  hobby:
    list(`baking, camping, climbing, cooking, cycling, dancing, drawing, fishing, gardening, hiking, hunting, jogging, knitting, painting, photography, reading,
    riding, running, sailing, shopping, singing, skating, skiing, swimming, travelling, writing, yoga, walking`),
  instrument: list("piano, guitar, violin, drums, flute, trumpet, cello, saxophone, organ, harp, clarinet, accordion"),
  topic:
    list(`accident, argument, budget, climate, contract, danger, deal, debate, decision, economy, election, event, exam, experiment, future, holiday, idea, incident, interview, job, journey,
    lesson, meeting, mistake, murder, news, past, peace treaty, plan, price, problem, project, question, result, revolution, rumour, secret, situation, solution, strike, tax, trial, trip, vote, war, weather, wedding, weekend, world cup, law`),
  matter: list(
    `answer, argument, attitude, belief, choice, claim, conclusion, custom, decision, discovery, dream, explanation, fact, feeling, idea, lie, method, opinion, plan, policy, promise, proposal, reason, risk, rule, secret, suggestion, theory, threat, warning, law, offer`,
  ),
  event: list(
    `anniversary, appointment, birthday party, ceremony, class, concert, conference, course, dinner, election, exam, exhibition, festival, funeral, holiday, interview, journey, lecture, lesson, lunch, meeting, party, picnic, race, rehearsal, reunion, show, tour, trial, wedding, workshop, match, election debate, barbecue`,
  ),
  money: list("bonus, debt, deposit, fine, loan, pension, rent, salary, tax, wage, discount, refund, mortgage, cheque"),
  stuff: list(
    "advice, baggage, cash, clothing, cotton, damage, dirt, dust, equipment, evidence, furniture, glass, gold, homework, information, jewellery, leather, luggage, mail, metal, mud, news, paint, paper, petrol, plastic, sand, shampoo, silver, smoke, soap, steel, toothpaste, traffic, wood, wool",
  ),
  profession: list(
    "accountant, actor, architect, artist, baker, carpenter, chef, dentist, doctor, driver, editor, electrician, engineer, farmer, gardener, journalist, judge, lawyer, librarian, mechanic, musician, nurse, painter, photographer, pilot, plumber, policeman, programmer, scientist, secretary, singer, soldier, surgeon, tailor, teacher, translator, vet, waiter, writer",
  ),
  colour: list(
    "beige, black, blue, brown, cream, crimson, gold, green, grey, navy blue, orange, pink, purple, red, scarlet, silver, turquoise, violet, white, yellow, dark green, pale blue, bright red",
  ),
  material: list(
    "wood, glass, leather, paper, plastic, silver, gold, wool, cotton, steel, stone, iron, silk, clay, rubber, copper, marble",
  ),
};

export const MASS: ReadonlySet<string> = new Set(["foodStuff", "drink", "stuff", "weather", "abstractStuff"]);
export const PAIRS: ReadonlySet<string> = new Set(["clothesPair"]);
