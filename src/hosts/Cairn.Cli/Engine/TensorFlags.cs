using System.CommandLine;
using Cairn.Cli.CommandLine;
using Cairn.Frameworks.Engine.Tensors;

namespace Cairn.Cli.Engine;

/// <summary>Which ONNX models of other kinds the engine serves, and how.</summary>
internal sealed class TensorFlags
{
    private readonly Option<string[]> _repositories = new("--repository")
    {
        Description = "A folder of ONNX models (MODEL/VERSION/model.onnx), or one model, served by the Open Inference Protocol.",
        HelpName = "PATH", AllowMultipleArgumentsPerToken = true,
    };
    private readonly Option<string[]> _load = new("--load")
    {
        Description = "Load only these models of the repository at the start; the others come by the load call.",
        HelpName = "MODEL", AllowMultipleArgumentsPerToken = true,
    };
    private readonly Option<bool> _onDemand = new("--on-demand") { Description = "Load no model of the repository at the start but those of --load." };
    private readonly Option<bool> _fixed = new("--fixed-models") { Description = "Refuse load and unload calls." };
    private readonly Option<int> _batch = new("--default-batch")
    {
        Description = "Rows of the largest batch of models that do not say, 0 to 4096; 0 leaves them unbatched.",
        DefaultValueFactory = _ => new TensorOptions().DefaultBatch, HelpName = "ROWS",
    };

    public void AddTo(Command command)
    {
        foreach (var option in new Option[] { _repositories, _load, _onDemand, _fixed, _batch })
            command.Options.Add(option);
    }

    public TensorOptions Read(CommandContext context, int? threads)
    {
        var options = new TensorOptions { AllowsControl = !context.Get(_fixed), DefaultBatch = context.Get(_batch) };
        options.Threads = threads ?? options.Threads;
        foreach (var path in context.Get(_repositories) ?? [])
            options.Repositories.Add(Path.GetFullPath(path));
        foreach (var name in context.Get(_load) ?? [])
            options.LoadAtStart.Add(name);
        options.LoadsOnDemand = context.Get(_onDemand) || options.LoadAtStart.Count > 0;
        return options;
    }
}
