using System.CommandLine;
using System.Formats.Tar;
using Cairn.Cli.CommandLine;

namespace Cairn.Cli.Jobs;

internal sealed class OutputCommand : CairnCommand
{
    private readonly Argument<string> _job = new("JOB") { Description = "Name or id." };
    private readonly Argument<string> _name = new("OUTPUT") { Description = "The output's name, from `cairn job`." };
    private readonly Option<string> _to = new("--to")
    {
        Description = "The folder to put it in; made where missing.", DefaultValueFactory = _ => ".", HelpName = "FOLDER",
    };

    public OutputCommand() : base("output", "Fetch what a job left behind.", "cairn output train-tiny-lm model --to ./model")
    {
        Arguments.Add(_job);
        Arguments.Add(_name);
        Options.Add(_to);
    }

    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        var folder = Path.GetFullPath(context.Get(_to)!);
        await FetchAsync(context.Api, Query.Of($"jobs/{Query.Segment(context.Get(_job)!)}/outputs/{Query.Segment(context.Get(_name)!)}.tar", ("project", context.Project)), folder, cancellationToken);
        context.Output.Write(new { Folder = folder }, view => context.Output.Note($"In {view.Folder}."));
        return ExitCodes.Success;
    }

    /// <summary>Downloads a tar stream and unpacks it. The unpacking refuses entries that point outside the folder.</summary>
    internal static async Task FetchAsync(Connection.ApiClient api, string path, string folder, CancellationToken cancellationToken)
    {
        using var response = await api.OpenAsync(new HttpRequestMessage(HttpMethod.Get, path), cancellationToken);
        Directory.CreateDirectory(folder);
        await using var stream = await response.Content.ReadAsStreamAsync(cancellationToken);
        await TarFile.ExtractToDirectoryAsync(stream, folder, overwriteFiles: true, cancellationToken);
    }
}
