using System.Collections.Frozen;

namespace Cairn.Planning.Places;

/// <summary>Groups of countries that a residency need may name.</summary>
internal static class ResidencyGroups
{
    /// <summary>The 27 member states (european-union.europa.eu, "Country profiles"), as ISO 3166-1 alpha-2.</summary>
    private static readonly FrozenSet<string> s_eu = FrozenSet.ToFrozenSet(
        ["AT", "BE", "BG", "HR", "CY", "CZ", "DK", "EE", "FI", "FR", "DE", "GR", "HU", "IE", "IT", "LV", "LT", "LU", "MT", "NL", "PL", "PT",
            "RO", "SK", "SI", "ES", "SE"],
        StringComparer.OrdinalIgnoreCase);

    /// <summary>The European Economic Area adds the EFTA states that signed its agreement (efta.int, "EEA Agreement").</summary>
    private static readonly FrozenSet<string> s_eea = FrozenSet.ToFrozenSet([.. s_eu, "IS", "LI", "NO"], StringComparer.OrdinalIgnoreCase);

    /// <param name="need">A country code or a group.</param>
    /// <param name="country">Where the place is; empty where unknown, which is inside nothing.</param>
    public static bool Contains(string need, string country) => country.Length > 0 && need.ToUpperInvariant() switch
    {
        "EU" => s_eu.Contains(country),
        "EEA" => s_eea.Contains(country),
        _ => string.Equals(need, country, StringComparison.OrdinalIgnoreCase),
    };
}
