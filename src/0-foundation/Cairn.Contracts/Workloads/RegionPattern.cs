namespace Cairn.Contracts.Workloads;

/// <summary>The entries of <see cref="WhereSpec.Regions"/> and <see cref="ResourceSpec.Regions"/>.</summary>
public static class RegionPattern
{
    /// <summary>
    /// True where the pattern names the region: <c>us-east-1</c> of any provider, <c>us-*</c> by prefix, <c>aws/us-east-1</c> and
    /// <c>aws/us-*</c> of one provider, <c>aws/*</c> all of one provider. Case does not matter.
    /// </summary>
    public static bool Matches(string pattern, string provider, string region)
    {
        ArgumentNullException.ThrowIfNull(pattern);
        var name = pattern.AsSpan();
        var slash = name.IndexOf('/');
        if (slash >= 0)
        {
            if (!Glob(name[..slash], provider))
                return false;
            name = name[(slash + 1)..];
        }

        return Glob(name, region);
    }

    private static bool Glob(ReadOnlySpan<char> pattern, string text) => pattern.EndsWith("*")
        ? text.AsSpan().StartsWith(pattern[..^1], StringComparison.OrdinalIgnoreCase)
        : pattern.Equals(text, StringComparison.OrdinalIgnoreCase);
}
