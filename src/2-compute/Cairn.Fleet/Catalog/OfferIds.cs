namespace Cairn.Fleet.Catalog;

/// <summary>
/// Ids of catalogue offers: <c>provider/region/instance-type</c>, then the variant where one type has several offers. Blanks become
/// hyphens.
/// </summary>
internal static class OfferIds
{
    public static string Of(string provider, string region, string instanceType, string variant)
    {
        var id = $"{provider}/{region}/{instanceType}".Replace(' ', '-');
        return variant.Length == 0 ? id : $"{id}/{variant.Replace(' ', '-')}";
    }

    /// <summary>
    /// The variant in an id made by <see cref="Of"/>; empty where it has none, null where the id was made in another way.
    /// </summary>
    public static string? VariantOf(string id, string provider, string region, string instanceType)
    {
        var stem = Of(provider, region, instanceType, "");
        if (id == stem)
            return "";
        return id.StartsWith(stem + "/", StringComparison.Ordinal) ? id[(stem.Length + 1)..] : null;
    }
}
