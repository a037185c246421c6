using Cairn.Frameworks.ModelCatalog;

namespace Cairn.Frameworks.Tests.ModelCatalog;

public sealed class The_catalogue_of_models
{
    // The publishers round to whole billions of what are sometimes counts with a vision tower: 109 for Llama 4 Scout's 107.8 + 0.9.
    private const double AllowedRounding = 0.015;

    public static TheoryData<string> Names => [.. OpenModels.All.Select(model => model.Name)];

    [Fact]
    public void It_has_the_sizes_and_kinds_that_people_use()
    {
        Assert.InRange(OpenModels.All.Count, 30, 1_000);
        Assert.True(OpenModels.All.Min(model => model.Parameters) < 0.3e9);
        Assert.True(OpenModels.All.Max(model => model.Parameters) > 1e12);
        Assert.Contains(OpenModels.All, model => model.Kind is ModelKind.Embedding);
        Assert.Contains(OpenModels.All, model => model.Kind is ModelKind.Reranker);
        Assert.Contains(OpenModels.All, model => model.Shape.FeedForward.Experts is not null);
        Assert.Contains(OpenModels.All, model => model.Shape.Attention.Latent is not null);
        Assert.Contains(OpenModels.All, model => model.Shape.Attention.Linear is not null);
        Assert.Contains(OpenModels.All, model => model.CommercialUse is CommercialUse.No);
        Assert.True(OpenModels.All.Count(model => model.Released.Year >= 2026) >= 5);
    }

    [Theory, MemberData(nameof(Names))]
    public void Its_shape_gives_the_published_number_of_parameters(string name)
    {
        var model = OpenModels.Find(name)!;
        var computed = ParameterCount.Of(model.Shape).Total;
        if (model.ParametersFrom is ParameterSource.Rounded)
            Assert.InRange((double)computed / model.Parameters, 1 - AllowedRounding, 1 + AllowedRounding);
        else
            Assert.Equal(model.Parameters, computed);
    }

    [Fact]
    public void Most_rows_are_checked_against_the_weights_themselves()
    {
        Assert.True(OpenModels.All.Count(model => model.ParametersFrom is ParameterSource.Weights) >= 50);
        Assert.True(OpenModels.All.Count(model => model.ParametersFrom is ParameterSource.Derived) <= 2);
    }

    [Theory, MemberData(nameof(Names))]
    public void Its_shape_gives_the_published_number_of_active_parameters(string name)
    {
        var model = OpenModels.Find(name)!;
        var count = ParameterCount.Of(model.Shape);
        Assert.Equal(model.Shape.FeedForward.Experts is not null, model.ActiveParameters is not null);
        if (model.ActiveParameters is not { } published)
            return;

        // Publishers count with or without the embedding and round to whole billions: both of ours bracket theirs.
        var active = count.ActivePerToken(model.Shape.TiedEmbeddings);
        Assert.InRange(published, 0.9 * active - 0.5e9, 1.1 * (active + count.Embedding) + 0.5e9);
    }

    [Theory, MemberData(nameof(Names))]
    public void Its_layers_are_all_accounted_for(string name)
    {
        var (shape, attention) = (OpenModels.Find(name)!.Shape, OpenModels.Find(name)!.Shape.Attention);
        Assert.InRange(attention.SlidingLayers + (attention.Linear?.Layers ?? 0) + (attention.Global?.Layers ?? 0), 0, shape.Layers);
        Assert.Equal(attention.SlidingLayers > 0, attention.Window > 0);
        Assert.InRange(shape.FeedForward.DenseLayers, 0, shape.Layers);
        Assert.Equal(attention.Latent is null, attention.KvHeads > 0);
        if (attention.Latent is null)
            Assert.Equal(0, attention.Heads % attention.KvHeads);
        Assert.Equal(shape.OtherParameters > 0, shape.Other is not null);
    }

    [Fact]
    public void No_name_means_two_models()
    {
        var names = OpenModels.All.SelectMany(model => model.Aliases.Append(model.Name)).ToList();
        Assert.Equal(names.Count, names.Distinct(StringComparer.OrdinalIgnoreCase).Count());
        Assert.All(names, name => Assert.True(OpenModels.Find(name) is { } found && found.Aliases.Append(found.Name).Contains(name)));
        Assert.All(OpenModels.All, model => Assert.Matches("^[a-z0-9][a-z0-9.-]+$", model.Name));
    }

    [Theory]
    [InlineData("Llama 3.1 8B")]
    [InlineData("LLAMA_3.1_8B")]
    [InlineData("meta-llama/Llama-3.1-8B-Instruct")]
    [InlineData("Llama-3.1-8B-Instruct")]
    [InlineData("deepseek-r1-distill-llama-8b")]
    public void A_model_is_found_by_any_of_its_names(string name) => Assert.Equal("llama-3.1-8b", OpenModels.Find(name)?.Name);

    [Theory]
    [InlineData("lama-3.1-8b", "llama-3.1-8b")]
    [InlineData("qwen3-32", "qwen3-32b")]
    [InlineData("gptoss120", "gpt-oss-120b")]
    public void An_unknown_name_gets_the_nearest_ones(string name, string near)
    {
        Assert.Null(OpenModels.Find(name));
        Assert.Contains(near, OpenModels.Nearest(name));
    }

    [Fact]
    public void A_name_like_nothing_gets_no_guess() => Assert.Empty(OpenModels.Nearest("zzzz"));
}
