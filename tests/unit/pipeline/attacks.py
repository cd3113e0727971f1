"""Pairs that were tried by hand against the guards: some must never share an answer, others say the same."""

from __future__ import annotations

DIFFERENT = {
    "numbers": """
        send 20 dollars to bob | send 200 dollars to bob
        a loan over two years | a loan over 3 years
        a loan over two years | a loan over twelve years
        book a table for four | book a table for 5
        does it fit twenty one guests | does it fit 22 guests
        does it fit twenty-one guests | does it fit twenty guests
        the limit is five thousand | the limit is five hundred
        the limit is 5k | the limit is 50k
        the limit is 5,000 | the limit is 5.5
        what is two hundred and five plus one | what is two hundred and six plus one
        how do i upgrade from 3.1 to 3.2 | how do i upgrade from 3.1 to 3.10
        what is new in version 2 | what is new in version 3
        the meeting at 10:30 | the meeting at 10:45
        the meeting at 10:00 | the meeting at 11
        meet on march 5 | meet on march 15
        meet on the 1st | meet on the 2nd
        meet on the 1st of may | meet on the twenty first of may
        meet on 2024-01-05 | meet on 2024-01-06
        meet on 5/6/2024 | meet on 6/6/2024
        my room is 101 | my room is 110
        flight 482 to rome | flight 428 to rome
        is it 1.5 liters | is it 15 liters
        half a cup of sugar | a quarter cup of sugar
        two dozen eggs | three dozen eggs
        twice a day | three times a day
        my third complaint | my second complaint
        take 5 mg | take 50 mg
        a 4 year old | a 14 year old
        zwei Karten bitte | drei Karten bitte
        quiero dos entradas | quiero tres entradas
        je veux deux billets | je veux trois billets
        a 30 day trial | a 60 day trial
        save 10% | save 20%
        $1.50 per unit | $1.05 per unit
        2 million users | 2 billion users
        -5 degrees | 5 degrees
        chapter one hundred | chapter one thousand
        call +49 30 123 | call +49 30 124
        an order of 1,000 | an order of 10,000
        the 90s | the 80s
        refund for order 5512 | refund for order 5521
        flights on 3 May | flights on 5 March
        meeting at 15:00 | meeting at 5:00
        what is 15% of 80 | what is 50% of 80
        loan over ten years | loan over twelve years
        Ich habe zwei Konten | Ich habe zwölf Konten
        refund within 14 days | refund within 40 days
        call 555-0101 | call 555-0110
        version 2.10.1 | version 2.1.10
        due 31.12.2025 | due 31.12.2026
        at quarter past five | at half past five
        3/4 cup | 1/4 cup
        """,
    "negation": """
        enable notifications | disable notifications
        how to activate roaming | how to deactivate roaming
        coffee with sugar | coffee without sugar
        before the meeting | after the meeting
        i can log in | i can't log in
        i can log in | i cannot log in
        i can log in | i am unable to log in
        it is refundable | it is not refundable
        it is refundable | it isn't refundable
        it works but does not print | it prints but does not work
        i have a visa | i have no visa
        did it arrive | did it never arrive
        tickets are available | tickets are unavailable
        is it legal | is it illegal
        is it possible | is it impossible
        a vegan menu | a vegetarian menu
        turn the heating up | turn the heating down
        turn on wifi | turn off wifi
        lock the door | unlock the door
        check in online | check out online
        subscribe to the list | unsubscribe from the list
        buy shares | sell shares
        deposit money | withdraw money
        send a parcel | receive a parcel
        add a user | remove a user
        increase my limit | decrease my limit
        my payment was approved | my payment was declined
        it was accepted | it was rejected
        the cheapest plan | the most expensive plan with the least data
        more than that | less than that
        over 18 | under 18
        open at night | open in the morning
        the first flight in the morning | the first flight in the evening
        show hidden files | hide hidden files
        mute the call | unmute the call
        import my data | export my data
        upload a file | download a file
        connect my phone | disconnect my phone
        it always happens | it never happens
        include tax | exclude tax
        arrivals in the evening arrive | departures in the evening depart
        pay with a debit card | pay with a credit card
        from savings | from checking
        the price in euros | the price in dollars
        it costs €20 | it costs $20
        20 usd | 20 eur
        in celsius | in fahrenheit
        5 kg of rice | 5 lb of rice
        5 km away | 5 miles away
        in 3 days | in 3 weeks
        2 gb of data | 2 tb of data
        at 9 am | at 9 pm
        at 9am | at 9pm
        at 9 est | at 9 pst
        it costs 5 per month | it costs 5 per year
        a weekly report | a monthly report
        on android | on iphone
        on windows | on linux
        translate it into german | translate it into french
        was kostet es mit Karte | was kostet es ohne Karte
        ich will mich anmelden | ich will mich abmelden
        ist es erlaubt | ist es nicht erlaubt
        c'est possible | ce n'est pas possible
        avec du sucre | sans sucre
        je veux activer le service | je veux désactiver le service
        con azúcar | sin azúcar
        quiero activar la tarjeta | quiero desactivar la tarjeta
        puedo pagar | no puedo pagar
        everyone except me | everyone with me
        none of them work | all of them work
        nobody answers | somebody answers
        when does it open | where does it open
        why is it closed | when is it closed
        tell me when it opens | tell me where it opens
        a question for the buyer | a question for the seller
        the answer is yes | the answer is no
        next week | last week
        the oldest one | the newest one
        my mother is ill | my father is ill
        left side | right side
        it is not uncommon | it is not common
        meet me at 9 EDT | meet me at 9 IST
        who pays, the lessor | who pays, the lessee
        Le magasin est ouvert | Le magasin est fermé
        ¿Cuándo empieza el curso? | ¿Cuándo termina el curso?
        is it pre-installed | is it post-installed
        a harmless snake | a harmful snake
        meeting at 3pm | meeting at 3am
        set timer to 5 minutes | set timer to 5 seconds
        a 10 km run | a 10 mile run
        call mom | call dad
        can I eat it raw | can I not eat it raw
        show me flights that allow pets | show me flights that don't allow pets
        is the store open | is the store closed
        was my payment successful | was my payment unsuccessful
        accounts that are active | accounts that are inactive
        list verified users | list unverified users
        users who have paid | users who haven't paid
        users who have paid | users who have yet to pay
        what is tax deductible | what is not tax deductible
        What is covered by insurance? | What isn't covered by insurance?
        do I have to pay | do I no longer have to pay
        turn the lights on | turn the lights off
        make it louder | make it quieter
        make text lighter | make text darker
        zoom in on the map | zoom out of the map
        raise the temperature | lower the temperature
        speed up the video | slow down the video
        how do I gain weight | how do I lose weight
        when does winter begin | when does winter end
        what's the highest mountain | what's the lowest mountain
        how long is the shortest route | how long is the longest route
        most popular dish | least popular dish
        how to promote an employee | how to demote an employee
        how to hire someone | how to fire someone
        Is my card active? | Is my card inactive?
        symptoms of hypertension | symptoms of hypotension
        symptoms of hyperglycemia | symptoms of hypoglycemia
        ascending colon | descending colon
        prenatal vitamins | postnatal vitamins
        bullish market outlook | bearish market outlook
        how do I lengthen a dress | how do I shorten a dress
        how to fill the tank | how to empty the tank
        minimum age to drive | maximum age to drive
        Can minors travel alone? | Can seniors travel alone?
        Wie schalte ich die Heizung ein? | Wie schalte ich die Heizung aus?
        Kann ich die Rechnung bezahlen? | Kann ich die Rechnung nicht bezahlen?
        Ist das erlaubt? | Ist das verboten?
        Wie melde ich mich an? | Wie melde ich mich ab?
        Comment ouvrir un compte ? | Comment fermer un compte ?
        je peux payer par carte | je ne peux pas payer par carte
        Comment augmenter mon plafond ? | Comment diminuer mon plafond ?
        cómo encender la alarma | cómo apagar la alarma
        puedo entrar con perro | puedo entrar sin perro
        Combien ça coûte en mars ? | Combien ça coûte en mai ?
        is the fee charged to the sender | is the fee charged to the receiver
        which planet is closest | which planet is farthest
        I agree with the terms | I disagree with the terms
        is it reversible | is it irreversible
        it's a mandatory field | it's an optional field
        can I overpay | can I underpay
        how to inflate tires | how to deflate tires
        is this a pre-tax amount | is this a post-tax amount
        full-time contract | part-time contract
        long-term rental | short-term rental
        is he careful | is he careless
        who is the employer | who is the employee
        I rarely travel | I often travel
        nobody may enter | everybody may enter
        is it waterproof | is it not waterproof
        Was kostet ein Zimmer mit Frühstück? | Was kostet ein Zimmer ohne Frühstück?
        Mach das Licht an | Mach das Licht aus
        Ich bin zufrieden | Ich bin unzufrieden
        Karte sperren | Karte entsperren
        Je suis d'accord | Je ne suis pas d'accord
        le prix le plus haut | le prix le plus bas
        quiero subir el límite | quiero bajar el límite
        hay plazas disponibles | no hay plazas disponibles
        does he have any allergies | does he have no allergies
        """,
    "entities": """
        the weather in paris | the weather in london
        the weather in Paris | the weather in London
        flights from Oslo | flights from Rome
        flights to Oslo please | flights to Rome please
        does it run on Intel | does it run on Ryzen
        who is Ada Lovelace | who is Grace Hopper
        what is Anna's balance | what is Boris's balance
        my name is Anna, what do I owe | my name is Boris, what do I owe
        hours on monday | hours on sunday
        hours on Monday | hours on Sunday
        a flight in june | a flight in july
        open on christmas | open on easter
        what is on tomorrow | what is on today
        what is on tomorrow | what is on
        what is on tonight | what is on
        write to a@b.example | write to c@b.example
        open https://a.example/x | open https://a.example/y
        where is order AB12 | where is order AC12
        where is order AB-12 | where is order AB-13
        explain useMemo | explain useRef
        run main.py | run test.py
        edit my_list | edit my_table
        the file a/b.txt | the file a/c.txt
        ticket #a1 | ticket #b1
        the iPhone app | the iPad app
        mail [NAME] about it | mail [EMAIL] about it
        mail <PERSON_A> about it | mail <PERSON_B> about it
        mail {{customer}} about it | mail {{seller}} about it
        hello [NAME], where is it | hello, where is it
        tell me about elephants | tell me about giraffes
        spell necessary | spell accommodate
        what is the capital of france | what is the capital of spain
        i need a visa to visit russia | i need a visa to visit canada
        a hotel near berlin | a hotel near munich
        how do I pay with it | wie kann ich mit der Karte zahlen
        what is the price of this | quel est le prix de ma carte
        where is my card and why | dónde está la tarjeta y por qué
        does ACME ship it | does INITECH ship it
        is Berlin served? | is Vienna served?
        is it on Spotify | is it on Deezer
        北京的天气 | 上海的天气
        可以退款吗 | 不可以退款吗
        料金はいくら | 住所はどこ
        weather in Bern | weather in Basel
        weather in bern | weather in basel
        who is the CEO of Nestle | who is the CEO of Novartis
        what did Obama say | what did Trump say
        is it legal in Texas | is it legal in Utah
        cuánto cuesta en enero | cuánto cuesta en febrero
        Was kostet es am Montag? | Was kostet es am Dienstag?
        buy 100 shares of Apple | buy 100 shares of Google
        tickets for Adele | tickets for Beyoncé
        send it to Maria's address | send it to Julia's address
        Öffnet ihr am Samstag? | Öffnet ihr am Sonntag?
        Fermé le lundi ? | Fermé le mardi ?
        ¿Abre los sábados? | ¿Abre los domingos?
        """,
    "order": """
        from paris to rome | from rome to paris
        to rome from paris | to paris from rome
        a train from paris to rome | i go from rome to paris by train
        convert usd to eur | convert eur to usd
        change dollars into euros | change euros into dollars
        move 5 from savings to checking | move 5 from checking to savings
        savings to checking transfer | please transfer checking to savings
        is tea better than coffee | is coffee better than tea
        is tea better than coffee | would you say coffee is better than tea
        a dog bites a man | a man bites a dog
        bob owes alice money | alice owes bob money
        subtract 3 from 10 | subtract 10 from 3
        does the sun orbit the earth | does the earth orbit the sun
        if it rains then it pours | if it pours then it rains
        the bank by the river | the river by the bank
        von Berlin nach Hamburg | von Hamburg nach Berlin
        de parís a londres | de londres a parís
        a car is faster than a train | a train is faster than a car
        translate english into german | translate german into english
        cancel before shipping | shipping before cancel
        10 minus 3 | 3 minus 10
        copy disk x to disk y | copy disk y to disk x
        the wolf eats the goat | the goat eats the wolf
        port 80 forwards to port 90 | port 90 forwards to port 80
        is A bigger than B | is B bigger than A
        Is A cheaper than B? | Is B cheaper than A?
        can A call B | can B call A
        does X include Y | does Y include X
        convert miles to kilometers | convert kilometers to miles
        how many cups in a liter | how many liters in a cup
        Who owes more, Anna or Ben, if Anna lent Ben 5? | Who owes more, Anna or Ben, if Ben lent Anna 5?
        Did Smith sue Jones? | Did Jones sue Smith?
        why does python call java | why does java call python
        replace tabs with spaces | replace spaces with tabs
        merge dev into main | merge main into dev
        is the parent allowed to block the child | is the child allowed to block the parent
        Can my employer monitor me | Can I monitor my employer
        does the buyer pay the seller's fees | does the seller pay the buyer's fees
        transfer money from Alice to Bob | transfer money from Bob to Alice
        how do I rename foo to bar | how do I rename bar to foo
        How do I migrate from MySQL to Postgres? | How do I migrate from Postgres to MySQL?
        translate hello from english to french | translate hello from french to english
        take 2 tablets every 4 hours | take 4 tablets every 2 hours
        Fahrt von Berlin nach Hamburg | Fahrt von Hamburg nach Berlin
        train de Paris à Lyon | train de Lyon à Paris
        vuelo de Madrid a Lima | vuelo de Lima a Madrid
        did Rome conquer Carthage | did Carthage conquer Rome
        is vitamin A better than vitamin C | is vitamin C better than vitamin A
        should I pay you | should you pay me
        can they sue us | can we sue them
        How do I share a folder with Tom? | How does Tom share a folder with me?
        does a square contain a circle | does a circle contain a square
        how many grams in an ounce | how many ounces in a gram
        when does the husband support the wife | when does the wife support the husband
        A beats B | B beats A
        Why does A follow B? | Why does B follow A?
        how to convert pdf to word | how to convert word to pdf
        Liebt Anna Peter? | Liebt Peter Anna?
        Est-ce que Paul connaît Marie ? | Est-ce que Marie connaît Paul ?
        """,
}
SAME = """
    how do i reset my password | how can i reset my password
    how do i reset my password | what do i do to reset the password
    where is my parcel | where's my parcel
    where is my parcel | where is the parcel
    i don't know why it failed | why did it fail
    i'm not sure how it works | how does it work
    i do not know how to pay | how do i pay
    i have no idea what this charge is | what is this charge
    can't i pay by card | can i pay by card
    isn't there a student discount | is there a student discount
    don't you ship to canada | do you ship to canada
    is it refundable or not | is it refundable
    i can't find my invoice | where is my invoice
    i can't remember my pin | i forgot my pin
    my card was declined | my card has been rejected
    my card was declined | my card isn't working
    my payment failed | my payment didn't go through
    i can't log in | i am unable to log in
    i can't log in | i cannot log in
    i can't log in | logging in does not work
    i have no receipt | i don't have a receipt
    my card hasn't arrived | my card has not arrived
    my card hasn't arrived | my card did not come
    it isn't working | it's not working
    a table for two | a table for 2
    twenty one guests | 21 guests
    twenty-one guests | 21 guests
    five thousand dollars | 5000 dollars
    five thousand dollars | 5,000 dollars
    five thousand dollars | $5k
    two hundred and five | 205
    one ticket | 1 ticket
    two dozen eggs | 24 eggs
    half a cup | 0.5 cup
    20.00 dollars | 20 dollars
    $20 | 20 dollars
    €20 | 20 euros
    20eur | 20 euros
    20% | 20 percent
    at 10:00 | at 10
    at 10am | at 10 am
    at 4 p.m | at 4 pm
    a 5kg bag | a 5 kg bag
    the 1st of may | may 1
    may 1st | the first of may
    the 2nd payment | the second payment
    zwei Karten | 2 Karten
    deux billets | 2 billets
    tres entradas | 3 entradas
    is this one free | is this free
    once it arrives, what do i do | what do i do when it arrives
    should i do this first | should i do this
    please double check my order | please check my order
    a W-2 form | a w2 form
    my 401-k plan | my 401k plan
    the weather today | the weather
    opening hours on Monday | what are the hours on monday
    Hi, How do I pay | how do i pay
    HOW DO I PAY | how do i pay
    How Do I Change My Address | how do i change my address
    Hello. Where is my card? | where is my card
    which ATM can I use | which ATMs can I use
    is Bob's shop open | is the shop of Bob open
    i like Berlin | Berlin is what i like
    it is bad.This is why | it is bad. this is why
    my card...how do i get it | my card, how do i get it
    - how do i pay | how do i pay
    show results/ | show results
    when i paid it failed, why | why did it fail when i paid
    it failed when i paid | it failed as i paid
    what happens when i cancel | what happens if i cancel
    how long does delivery take | how long will the delivery take
    how long does a transfer from europe take | how long does a transfer take from europe
    i was charged twice for the same thing | i was charged for the same thing twice
    you were born where | where were you born
    pair with my phone please | please pair with my phone
    how many days of vacation do i have saved | how many saved days of vacation do i have
    why is my payment not allowed | my payment is not allowed, why
    what song is this | what is this song
    turn the light off | turn off the light
    on may 12 i need a car | i need a car on may 12
    status of my order | the status for my order
    difference between a debit and a credit card | difference between credit and debit card
    milk or tea | tea or milk
    do you take visa and paypal | do you take paypal and visa
    from paris to rome by train | by train from paris to rome
    a train from paris to rome | how do i get to rome from paris
    convert usd to eur | how do i convert usd into eur
    is tea better than coffee | would you say tea is better than coffee
    mail [NAME] about it | please mail [NAME] about it
    mail <EMAIL_1> now | please mail <EMAIL_1>
    wie lange dauert die Lieferung | wie lange dauert denn die Lieferung
    wo ist mein Paket | wo finde ich mein Paket
    où est mon colis | où se trouve mon colis
    dónde está mi pedido | dónde se encuentra mi pedido
    ich weiß nicht weiter | ich weiß nicht mehr weiter
    may i bring a cat/dog | may i bring a dog or a cat
    i'd like to change my address | i would like to change the address
    what's the fee | what is the fee
    are there fees | is there a fee
    can you help me cancel | i want to cancel
    cancel my subscription please | please cancel my subscription
    delete my account | remove my account
    i lost my phone | my phone is lost
    how much does it cost per month | how much is it a month
    do you deliver on weekends | is there delivery on a weekend
    how do i contact support | how can i reach the support team
    what is your return policy | how do returns work
    i need help with my order | please help me with my order
    track my shipment | where can i track my shipment
    set up two factor login | how do i set up two factor login
    set an alarm for 7 am | set the alarm for 7 am please
    how old are you | what is your age
    what is the wifi password | tell me the password of the wifi
    which plan is best for families | what plan is the best for a family
    can I get an invoice | could I get an invoice
    i'd rather pay by card | i want to pay by card
    is the shop open now | is the store open now
    how do i upgrade my plan | upgrading my plan, how does it work
    my order never came | my order has not come
    my order never came | my order didn't arrive
    nothing works | it doesn't work
    can I change my seat | is it possible to change my seat
    are pets allowed | may I bring pets
    what currencies do you support | which currencies are supported
    how do I activate my new card | what do I do to activate a new card
    tell me a joke | can you tell me a joke
    thanks, and how do I return it | how do I return it
    the app crashes | the app keeps crashing
    where can I see my balance | show me my balance
    why was I charged a fee | why did you charge me a fee
    do i need a visa to visit russia | is a visa needed to visit russia
    how far is it to the station | what is the distance to the station
    who do i call about a lost card | whom do i call about my lost card
    is my money safe | how safe is my money
    i want to speak to a human | let me talk to a person
    what documents do i need | which documents are needed
    how do i verify my identity | what do i need to verify my identity
    change my pin | i want to change my pin
    my refund is missing | where is my refund, it is missing
    can i have a physical card | i want a physical card
    how do i top up by bank transfer | topping up by bank transfer, how does it work
    set a timer for 10 minutes | set a 10 minute timer
    set a timer for 30 seconds | a timer for 30 sec please
    a trial of 24 hours | a 24h trial
    hi there, what are your hours | what are your hours
    order AB12 is late | my order AB12 is late
    open main.py please | please open main.py
    is it 5 km away | is it 5km away
    i am in the US now | i am now in the US
    how do I reset my password | how can I reset my password?
    How do I reset my password? | I need to reset my password
    what's the weather today | what is the weather today
    can i get a refund | could I please get a refund?
    Where is my order | where's my order?
    cancel my subscription | please cancel my subscription
    I want to cancel my subscription | I would like to cancel my subscription
    my card isn't working | my card doesn't work
    my card is not working | my card won't work
    turn off the lights | turn the lights off
    please set an alarm for 7 am | set an alarm for 7:00 am
    transfer 1,000 dollars | transfer 1000 dollars
    transfer $50 | transfer 50 dollars
    I have two questions about fees | I have 2 questions about fees
    weather in New York | New York weather
    what's the capital of France? | what is France's capital?
    How do I contact support? | how do i contact customer support
    what time do you open | what time do you open?
    when do you open | when are you open
    How long does shipping take? | how long will shipping take
    I lost my card | I've lost my card
    I can't log in | I cannot log in
    I can't log in | I am not able to log in
    I am unable to log in | I can't log in
    why was my payment declined | why did my payment get declined
    why was I charged twice | I was charged twice, why?
    I was charged two times | I was charged twice
    how do I add a user | how do I add users
    how to delete my account | how do I delete my account
    delete my account | I want my account deleted
    What documents do I need | which documents do I need
    Do you ship to Canada? | Is shipping to Canada available?
    is there a fee for transfers | are there fees for transfers
    how much is a transfer | what does a transfer cost
    tell me a joke | Tell me a joke please
    i don't know how to reset my pin | how do I reset my pin
    do you know how to reset a pin? | how to reset a pin
    Isn't there a mobile app? | Is there a mobile app?
    what is the exchange rate from EUR to USD | what is the EUR to USD exchange rate
    exchange rate between EUR and USD | exchange rate between USD and EUR
    Is it safe, or not? | Is it safe?
    is A or B better | is B or A better
    Which is better, tea or coffee? | Which is better, coffee or tea?
    plan A | Plan A
    what does plan A cost | What does Plan A cost?
    what is a mortgage | What is A mortgage?
    Can I get a loan? | Can I get A loan?
    Translate "good morning" into French | How do you say good morning in French?
    how old do I have to be | how old must I be
    HOW DO I RESET MY PASSWORD | how do I reset my password
    how do I reset my password?? | How Do I Reset My Password
    Which first steps should I take? | Which steps should I take first?
    please check my balance | check my balance
    what's my account balance | how much money is in my account
    does the app work offline | can the app be used offline
    Wie kann ich mein Passwort ändern? | wie ändere ich mein Passwort
    Wo ist meine Bestellung? | wo ist meine bestellung
    Ich habe 2 Fragen | Ich habe zwei Fragen
    Comment changer mon mot de passe ? | comment puis-je changer mon mot de passe
    où est ma commande | Où est ma commande ?
    cómo cambio mi contraseña | ¿Cómo puedo cambiar mi contraseña?
    dónde está mi pedido | ¿Dónde está mi pedido?
    what does plan A include | what's included in plan A
    is A the same as B | is B the same as A
    do A and B differ | do B and A differ
    A or B? | B or A?
    can you help me with a transfer | can I get help with a transfer
    could you tell me the price | what is the price
    can I get my money back | can you give me my money back
    do you have parking | is there parking
    will you refund me | will I get refunded
    who can help me | who can I ask for help
    I want to know the fees | tell me the fees
    please let me know the fees | let me know the fees please
    how do I use the card | how to use my card
    my card is lost, help me | help me, my card is lost
    I have a problem with my order | there is a problem with my order
    does the gym have a pool | is there a pool in the gym
    does the flight include luggage | is luggage included in the flight
    what is included in the price | what does the price include
    which one is cheaper, bus or train | is bus or train cheaper
    wie schalte ich es ein | wie kann ich es einschalten
    wann kommt mein Paket an | wann wird mein Paket ankommen
    ich möchte bestellen | ich will bestellen
    wie viel kostet das | was kostet das
    quel est le prix | combien ça coûte
    je voudrais un remboursement | je veux un remboursement
    quiero cancelar mi pedido | me gustaría cancelar mi pedido
    cuándo llega mi paquete | cuando llegará mi paquete
    how long is the warranty | how long does the warranty last
    how do I install it | how do I get it installed
    is express shipping available | do you offer express shipping
    can I pay in installments | is it possible to pay in installments
    what's your phone number | how can I call you
    how can I reach you | how do I contact you
    explain compound interest | what is compound interest
    what's 5 plus 7 | what is 7 plus 5
    is the water safe to drink | can I drink the water
    is lunch included | does it include lunch
    """


def pairs(table: str) -> list[tuple[str, str]]:
    """The two sides of every line."""
    return [tuple(part.strip() for part in line.split("|")) for line in table.strip().splitlines()]  # type: ignore[misc]
