using Cairn.Frameworks.ModelCatalog;

namespace Cairn.Cli.ModelCatalog;

/// <summary>A shape's parts in words.</summary>
internal static class ShapeText
{
    public static string Attention(AttentionShape form)
    {
        var parts = new List<string>
        {
            form.Latent is { } latent
                ? $"{form.Heads} heads over a latent of {latent.KvRank} + {latent.RopeSize} per token"
                : $"{form.Heads} heads of {form.HeadSize}, {form.KvHeads} of keys and values",
        };
        if (form.SlidingLayers > 0)
            parts.Add($"{form.SlidingLayers} layers see {form.Window} tokens");
        if (form.Global is { } global)
            parts.Add($"{global.Layers} layers see all with {global.KvHeads} heads of {global.HeadSize}");
        if (form.Linear is { } linear)
            parts.Add($"{linear.Layers} layers are linear with a fixed state");
        return string.Join("; ", parts);
    }

    public static string FeedForward(FeedForwardShape form)
    {
        if (form.Experts is not { } experts)
            return $"width {form.Intermediate}";
        var shared = experts.Shared > 0 ? $" + {experts.Shared} shared" : "";
        var dense = form.DenseBesideExperts ? $", beside a dense part of {form.Intermediate}"
            : form.DenseLayers > 0 ? $"; {form.DenseLayers} layers dense of {form.Intermediate}" : "";
        return $"{experts.Active} of {experts.Count} experts{shared} of width {experts.Intermediate}{dense}";
    }
}
