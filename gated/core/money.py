"""Money: exact decimals with the exponent of their currency (ISO 4217), never floats."""

from dataclasses import dataclass
from decimal import Decimal

# ISO 4217 active codes by the number of their decimal places. An unknown currency is refused.
_EXPONENTS: dict[int, str] = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: (
        "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD"
        " CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD"
        " GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL"
        " MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN"
        " PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP"
        " SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VES WST XCD YER ZAR ZMW ZWG"
    ),
    3: "BHD IQD JOD KWD LYD OMR TND",
}
EXPONENTS: dict[str, int] = {
    code: exponent for exponent, codes in _EXPONENTS.items() for code in codes.split()
}


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in one currency. Raises ValueError for an unknown currency or a finer amount."""

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        exponent = EXPONENTS.get(self.currency)
        if exponent is None:
            raise ValueError(f"unknown currency {self.currency!r}: expected an ISO 4217 code")
        if not self.amount.is_finite() or self.amount != round(self.amount, exponent):
            raise ValueError(f"{self.currency} has {exponent} decimal places, got {self.amount}")
        object.__setattr__(self, "amount", self.amount.quantize(Decimal(1).scaleb(-exponent)))

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"
