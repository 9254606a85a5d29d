"""What the demonstration's customers write, two messages each, and who of them is known; all of it made up."""

REGULAR = "491790000001"
"""The number of somebody who writes on each channel of `MET_ON`: one person, who is one customer."""
MET_ON = ("telegram", "twilio", "whatsapp")

WORDS = (
    ("Hello, is anybody there?", "My parcel has not arrived and I am very angry about it 😡"),
    ("Guten Tag, ich warte seit Montag auf meine Bestellung.", "Vielen Dank für die schnelle Antwort, alles ist gut."),
    ("Buenos días, quisiera cambiar la dirección de entrega.", "¿Cuándo llegará mi pedido, por favor?"),
    ("Bonjour, je voudrais savoir où se trouve mon colis.", "Merci beaucoup, vous êtes très aimables."),
    ("Good evening, thank you so much, the new shoes are wonderful!", "I love them, what a great service 😍"),
    ("Buongiorno, il prodotto che ho ricevuto è rotto.", "Vorrei essere rimborsato il prima possibile."),
    ("Bom dia, preciso de ajuda com a minha fatura.", "Ainda não recebi nenhuma resposta sobre o pagamento."),
    ("Dzień dobry, moja paczka jeszcze nie dotarła.", "Proszę o informację, kiedy mogę się jej spodziewać."),
    ("Добрий день, я досі не отримав своє замовлення.", "Дякую за допомогу, все працює чудово."),
    ("Goedemorgen, ik wil graag mijn bestelling annuleren.", "Kunt u mij vertellen wanneer ik mijn geld terugkrijg?"),
    ("Merhaba, siparişim henüz gelmedi.", "Yardımınız için çok teşekkür ederim."),
    ("The app crashes every time I try to pay.", "This is the worst checkout I have ever seen."),
)
