"""Braintree's codes: of processors, of its own gateway, of settlements and of wrong input."""

from __future__ import annotations

from typing import Final

from ..types import FailureClass
from .codes import Vocabulary

VOCABULARY: Final = Vocabulary(
    {
        FailureClass.SOFT: """2000 2034 2035 2038 2044 2046 2057 2074 2092 2101 2104 2105 2106
            4001 processor_declined settlement_declined""",
        FailureClass.HARD: """2007 2011 2015 2017 2018 2019 2020 2022 2041 2043 2070 2075 2076 2093
            2107 2108 81703 81718""",
        FailureClass.FUNDS: "2001",
        FailureClass.LIMIT: "2002 2003 2086 2097 2098 2103 excessive_retry",
        FailureClass.AUTH: "2078 2099 2102 three_d_secure",
        FailureClass.FRAUD: """2012 2013 2014 2021 2047 2053 2077 2085 4005 fraud
            risk_threshold""",
        FailureClass.CARD_DATA: """2005 2006 2008 2009 2010 2029 2050 2051 2059 2060 2061 2083
            avs cvv avs_and_cvv 81706 81707 81709 81710 81711 81712 81713 81714 81715 81716 81723
            81736 81737 81750 81808 81809 81813 81828""",
        FailureClass.EXPIRED: "2004",
        FailureClass.PROCESSING: """2031 2033 2036 2037 2039 2054 2062 failed settlement_failed
            local_payment_reversed""",
        FailureClass.NETWORK: "3000",
        FailureClass.CONFIG: """2023 2024 2025 2026 2027 2028 2030 2032 2040 2042 2045 2048 2049
            2052 2055 2056 2058 2063 2064 2065 2066 2067 2068 2071 2072 2073 2079 2080 2081 2082
            2084 2087 2088 2089 2090 2091 2095 2096 2100 4006 4018 application_incomplete
            token_issuance authorization_expired 81717 81724 81725 81762 81763 81764""",
        FailureClass.DUPLICATE: "2016 2069 2094 4003 duplicate",
    },
    # No more than a transaction's status: the network's code, and the kind of decline, say more.
    vague="processor_declined settlement_declined failed settlement_failed",
    families={
        FailureClass.SOFT: r"2(?:109|1[1-9]\d|[2-9]\d\d)",
        FailureClass.CARD_DATA: r"817\d\d",
        FailureClass.CONFIG: r"[89]\d{4}",
    },
)
CODES: Final = VOCABULARY.classes
