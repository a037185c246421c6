using System.CommandLine;
using System.Globalization;
using Cairn.Cli.CommandLine;
using Cairn.Contracts.Api;
using Cairn.Frameworks.ModelCatalog;

namespace Cairn.Cli.ModelCatalog;

internal sealed class ModelsShowCommand : CairnCommand
{
    private readonly Argument<string> _model = ModelText.Argument();

    public ModelsShowCommand() : base("show", "One model: its licence, formats, shape and where its parameters sit. Needs no server.", "cairn models show qwen3-30b-a3b") =>
        Arguments.Add(_model);

    protected override Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        var model = ModelText.Find(context.Get(_model)!);
        context.Output.Write(model, _ => Print(context.Output, model));
        return Task.FromResult(ExitCodes.Success);
    }

    private static void Print(Output output, OpenModel model)
    {
        var shape = model.Shape;
        output.Markup($"[bold]{Words.Escape(model.Title)}[/] ({model.Name}), {Words.Escape(model.Publisher)}, {model.Released:yyyy-MM-dd}");
        var table = Output.NewTable("  WHAT", "FIGURE~");
        void Row(string what, string figure) => table.AddRow("  " + what, Words.Escape(figure));
        Row("licence", $"{model.License} (commercial use: {EnumWords.Of(model.CommercialUse)})");
        Row("published as", string.Join(", ", model.Formats.Select(ModelText.Format)));
        Row("parameters", Number(model.Parameters) + (model.ParametersFrom is ParameterSource.Weights ? "" : $" ({EnumWords.Of(model.ParametersFrom)})"));
        if (model.ActiveParameters is { } active)
            Row("active per token", ModelText.Count(active) + " (the publisher's figure)");
        Row("context", $"{Number(shape.Context)} tokens");
        Row("layers × width", $"{shape.Layers} × {shape.Hidden}, vocabulary {Number(shape.Vocabulary)}{(shape.TiedEmbeddings ? ", tied" : "")}");
        Row("attention", ShapeText.Attention(shape.Attention));
        Row("feed-forward", ShapeText.FeedForward(shape.FeedForward));
        if (model.Aliases.Count > 0)
            Row("same shape", string.Join(", ", model.Aliases));
        Row("figures from", $"{model.Source} on the Hugging Face hub: config.json and model card");
        output.Table(table);
        output.Line("");
        PrintParameters(output, ParameterCount.Of(shape), shape);
    }

    private static void PrintParameters(Output output, ParameterCount count, ModelShape shape)
    {
        var table = Output.NewTable("  PARAMETERS OF", ">COUNT", ">SHARE");
        foreach (var (name, value) in new[]
        {
            ("embedding", count.Embedding), ("output projection", count.Head), ("attention", count.Attention),
            ("feed-forward every token uses", count.DenseFeedForward), ("routed experts", count.RoutedExperts),
            ("routers and norms", count.Routers + count.Norms), (shape.Other ?? "other", count.Other),
        })
        {
            if (value > 0)
                table.AddRow("  " + Words.Escape(name), Number(value), (100.0 * value / count.Total).ToString("0.0", CultureInfo.InvariantCulture) + " %");
        }

        output.Table(table);
    }

    private static string Number(long value) => value.ToString("#,##0", CultureInfo.InvariantCulture);
}
