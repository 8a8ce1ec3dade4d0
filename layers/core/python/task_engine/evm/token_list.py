"""Well-known tokens by chain: known without asking a node.

Addresses as published by the tokens' issuers and by the chains' canonical bridges.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ListedToken:
    """`address` with its EIP-55 checksum."""

    symbol: str
    name: str
    decimals: int
    address: str


_OP_STACK_WETH = ListedToken(
    "WETH", "Wrapped Ether", 18, "0x4200000000000000000000000000000000000006"
)
_USDC, _USDT, _DAI = ("USDC", "USD Coin", 6), ("USDT", "Tether USD", 6), ("DAI", "Dai Stablecoin")
_WETH, _WBTC, _LINK = ("WETH", "Wrapped Ether"), ("WBTC", "Wrapped BTC", 8), ("LINK", "ChainLink")

TOKENS: dict[int, tuple[ListedToken, ...]] = {
    1: (
        ListedToken(*_USDC, "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48"),
        ListedToken(*_USDT, "0xdAC17F958D2ee523a2206206994597C13D831ec7"),
        ListedToken(*_WETH, 18, "0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2"),
        ListedToken(*_DAI, 18, "0x6B175474E89094C44Da98b954EedeAC495271d0F"),
        ListedToken(*_WBTC, "0x2260FAC5E5542a773Aa44fBCfeDf7C193bc2C599"),
        ListedToken(*_LINK, 18, "0x514910771AF9Ca656af840dff83E8264EcF986CA"),
        ListedToken("UNI", "Uniswap", 18, "0x1f9840a85d5aF5bf1D1762F925BDADdC4201F984"),
        ListedToken("AAVE", "Aave Token", 18, "0x7Fc66500c84A76Ad7e9c93437bFc5Ac33E2DDaE9"),
        ListedToken("stETH", "Lido Staked Ether", 18, "0xae7ab96520DE3A18E5e111B5EaAb095312D7fE84"),
        ListedToken(
            "wstETH", "Wrapped Lido Staked Ether", 18, "0x7f39C581F595B53c5cb19bD0b3f8dA6c935E2Ca0"
        ),
    ),
    10: (
        ListedToken(*_USDC, "0x0b2C639c533813f4Aa9D7837CAf62653d097Ff85"),
        ListedToken("USDC.e", "Bridged USDC", 6, "0x7F5c764cBc14f9669B88837ca1490cCa17c31607"),
        ListedToken(*_USDT, "0x94b008aA00579c1307B0EF2c499aD98a8ce58e58"),
        _OP_STACK_WETH,
        ListedToken(*_DAI, 18, "0xDA10009cBd5D07dd0CeCc66161FC93D7c9000da1"),
        ListedToken(*_WBTC, "0x68f180fcCe6836688e9084f035309E29Bf0A2095"),
        ListedToken("OP", "Optimism", 18, "0x4200000000000000000000000000000000000042"),
    ),
    56: (
        ListedToken("USDT", "Tether USD", 18, "0x55d398326f99059fF775485246999027B3197955"),
        ListedToken("USDC", "USD Coin", 18, "0x8AC76a51cc950d9822D68b83fE1Ad97B32Cd580d"),
        ListedToken("WBNB", "Wrapped BNB", 18, "0xbb4CdB9CBd36B01bD1cBaEBF2De08d9173bc095c"),
        ListedToken("BUSD", "BUSD Token", 18, "0xe9e7CEA3DedcA5984780Bafc599bD69ADd087D56"),
        ListedToken("ETH", "Ethereum Token", 18, "0x2170Ed0880ac9A755fd29B2688956BD959F933F8"),
        ListedToken("BTCB", "BTCB Token", 18, "0x7130d2A12B9BCbFAe4f2634d864A1Ee1Ce3Ead9c"),
    ),
    8453: (
        ListedToken(*_USDC, "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913"),
        ListedToken("USDbC", "Bridged USDC", 6, "0xd9aAEc86B65D86f6A7B5B1b0c42FFA531710b6CA"),
        _OP_STACK_WETH,
        ListedToken(*_DAI, 18, "0x50c5725949A6F0c72E6C4a641F24049A917DB0Cb"),
        ListedToken(
            "cbBTC", "Coinbase Wrapped BTC", 8, "0xcbB7C0000aB88B473b1f5aFd9ef808440eed33Bf"
        ),
        ListedToken(
            "cbETH", "Coinbase Wrapped Staked ETH", 18, "0x2Ae3F1Ec7F1F5012CFEab0185bfc7aa3cf0DEc22"
        ),
    ),
    42161: (
        ListedToken(*_USDC, "0xaf88d065e77c8cC2239327C5EDb3A432268e5831"),
        ListedToken("USDC.e", "Bridged USDC", 6, "0xFF970A61A04b1cA14834A43f5dE4533eBDDB5CC8"),
        ListedToken(*_USDT, "0xFd086bC7CD5C481DCC9C85ebE478A1C0b69FCbb9"),
        ListedToken(*_WETH, 18, "0x82aF49447D8a07e3bd95BD0d56f35241523fBab1"),
        ListedToken(*_DAI, 18, "0xDA10009cBd5D07dd0CeCc66161FC93D7c9000da1"),
        ListedToken(*_WBTC, "0x2f2a2543B76A4166549F7aaB2e75Bef0aefC5B0f"),
        ListedToken(*_LINK, 18, "0xf97f4df75117a78c1A5a0DBb814Af92458539FB4"),
        ListedToken("ARB", "Arbitrum", 18, "0x912CE59144191C1204E64559FE8253a0e49E6548"),
    ),
    84532: (
        ListedToken(*_USDC, "0x036CbD53842c5426634e7929541eC2318f3dCF7e"),
        _OP_STACK_WETH,
    ),
    11155111: (
        ListedToken(*_USDC, "0x1c7D4B196Cb0C7B01d743Fbc6116a902379C7238"),
        ListedToken(*_WETH, 18, "0xfFf9976782d46CC05630D1f6eBAb18b2324d6B14"),
        ListedToken(*_LINK, 18, "0x779877A7B0D9E8603169DdbD7836e478b4624789"),
    ),
}


def listed(chain_id: int, address: str) -> ListedToken | None:
    """The listed token at an address in any case, None when there is none."""
    wanted = address.lower()
    return next((t for t in TOKENS.get(chain_id, ()) if t.address.lower() == wanted), None)
