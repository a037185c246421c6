using System.Globalization;
using System.Runtime.CompilerServices;
using Cairn.Contracts.Offers;

namespace Cairn.Planning.Offers;

/// <summary>Numbers distinct values in the order in which they first come.</summary>
internal sealed class Interner<TKey, TValue> where TKey : notnull
{
    private readonly Dictionary<TKey, int> _numbers = [];
    private readonly List<TValue> _values = [];

    public int Number(TKey key, Func<TValue> make)
    {
        if (_numbers.TryGetValue(key, out var number))
            return number;
        number = _values.Count;
        _numbers.Add(key, number);
        _values.Add(make());
        return number;
    }

    public TValue[] Values() => [.. _values];
}

/// <summary>Keys by value of the parts of an offer that are lists, each written once per object.</summary>
internal sealed class ContentKeys
{
    private readonly ConditionalWeakTable<object, string> _keys = [];

    public string Of(EgressPrices egress) => _keys.GetValue(egress, _ =>
        string.Create(CultureInfo.InvariantCulture, $"{egress.CrossRegionPerGigabyte.Micros};{egress.InRegionPerGigabyte.Micros};")
        + string.Join(';', egress.Internet.Select(r => string.Create(CultureInfo.InvariantCulture, $"{r.UpToBytes}:{r.PerGigabyte.Micros}"))));

    public string Of(IReadOnlyList<string> certifications) => certifications.Count == 0 ? "" : _keys.GetValue(certifications, _ =>
        string.Join(';', certifications.Select(c => c.ToLowerInvariant()).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)));

    public string Of(IReadOnlyDictionary<string, string> labels) => labels.Count == 0 ? "" : _keys.GetValue(labels, _ =>
        string.Join('\n', labels.OrderBy(l => l.Key, StringComparer.Ordinal).Select(l => $"{l.Key.Length}:{l.Key}={l.Value}")));
}
