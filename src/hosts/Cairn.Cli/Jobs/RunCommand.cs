using System.CommandLine;
using System.Text.Json;
using Cairn.Cli.CommandLine;
using Cairn.Cli.Offers;
using Cairn.Cli.Workdirs;
using Cairn.Contracts.Api;
using Cairn.Contracts.Workloads;
using Spectre.Console;

namespace Cairn.Cli.Jobs;

internal sealed class RunCommand : CairnCommand
{
    private readonly Argument<string> _file = new("FILE") { Description = "The workload file; - reads it from stdin." };
    private readonly Option<bool> _yes = new("--yes", "-y") { Description = "Do not ask." };
    private readonly Option<bool> _detach = new("--detach", "-d") { Description = "Print the job's name and leave; the job goes on." };
    private readonly Option<string?> _name = new("--name") { Description = "The job's name instead of the workload's.", HelpName = "NAME" };
    private readonly Option<string[]> _env = new("--env", "-e") { Description = "Set an environment variable; K alone passes on this shell's value. May be repeated.", HelpName = "K=V" };
    private readonly Option<string[]> _secret = new("--secret")
    {
        Description = "Give a secret that the workload names; K alone passes on this shell's value, which keeps it out of the shell's history.",
        HelpName = "K[=V]",
    };

    private readonly Option<string?> _at = new("--at") { Description = "Run there and nowhere else.", HelpName = "PROVIDER[/REGION]" };

    public RunCommand() : base("run", "Plan a workload, ask, run it and stream its logs. Exit code 0 if the job succeeded, 10 if it failed, 11 if it was stopped.",
        "cairn run train.yaml --env EPOCHS=3 --at io.net")
    {
        Arguments.Add(_file);
        foreach (var option in new Option[] { _yes, _detach, _name, _env, _secret, _at })
            Options.Add(option);
    }

    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        var file = await WorkloadText.ReadAsync(context.Get(_file)!, cancellationToken);
        var parsed = file.Parse(context.Output);
        if (!context.Get(_yes))
            await ConfirmAsync(context, file, cancellationToken);

        // (1) The files travel first, so that an accepted job never waits for its submitter.
        var workdir = await UploadWorkdirAsync(context, file, parsed, cancellationToken);

        // (2) The job is durable when the server answers.
        var request = new SubmitJobRequest
        {
            Workload = file.Text,
            FileName = file.Name,
            Name = context.Get(_name),
            Project = context.Project,
            Env = Pairs(context.Get(_env), "--env"),
            Secrets = Pairs(context.Get(_secret), "--secret"),
            At = context.Get(_at),
            Workdir = workdir,
        };
        using var reply = await context.Api.PostAsync(Query.Of("jobs", ("project", context.Project)), StartDocuments.Write(request), cancellationToken);
        var job = StartDocuments.ReadAccepted(reply.RootElement);
        if (context.Get(_detach))
        {
            if (context.Output.IsJson)
                context.Output.Json(reply.RootElement.Deserialize<JobView>(ApiJson.Compact));
            else
                context.Output.Line(job.Name);
            return ExitCodes.Success;
        }

        return await FollowAsync(context, job, cancellationToken);
    }

    /// <summary>Streams the logs until the job has ended, and ends with its outcome. Ctrl-C leaves the job running.</summary>
    internal static async Task<int> FollowAsync(CommandContext context, AcceptedJob job, CancellationToken cancellationToken)
    {
        context.Output.Note($"{job.Name} is {job.Phase}. Ctrl-C leaves it running; `cairn stop {job.Name}` stops it.");
        try
        {
            await LogsCommand.PrintAsync(context, $"jobs/{job.Id}/logs?follow=true", job.Nodes, timestamps: false, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            context.Output.Note($"{job.Name} goes on. `cairn logs -f {job.Name}` shows it again.");
            return ExitCodes.Interrupted;
        }

        var ended = await context.Api.GetAsync<JobView>($"jobs/{job.Id}", cancellationToken);
        if (context.Output.IsJson)
            context.Output.JsonLine(ended);
        else
            context.Output.Note(JobText.Outcome(ended));
        return JobText.ExitCode(ended.Phase);
    }

    private async Task ConfirmAsync(CommandContext context, WorkloadText file, CancellationToken cancellationToken)
    {
        if (!context.Output.IsTerminal || Console.IsInputRedirected)
            throw new CliException(ExitCodes.Usage, "There is no terminal to ask on; add --yes.");
        await PlanCommand.PrintAsync(context.Output, context.Api, file, context.Get(_at), top: 8, rejected: 4, cancellationToken, runnableOnly: true);
        if (!await context.Output.Data.ConfirmAsync("Run it?", defaultValue: true, cancellationToken))
            throw new CliException(ExitCodes.Refused, "Not run.");
    }

    internal static async Task<ApiManifest?> UploadWorkdirAsync(
        CommandContext context, WorkloadText file, WorkloadFile parsed, CancellationToken cancellationToken)
    {
        var folders = parsed.Steps.Select(step => step.Workload.Workdir).Where(folder => folder is not null).Distinct(StringComparer.Ordinal).ToList();
        return folders switch
        {
            [] => null,
            [{ } folder] => await WorkdirUpload.SendAsync(context.Output, context.Api, Path.Combine(file.Folder, folder), file.OnlyFiles, cancellationToken),
            _ => throw new CliException(ExitCodes.Usage, $"The steps name {folders.Count} different workdirs ({string.Join(", ", folders)}); a pipeline shares one."),
        };
    }

    internal static Dictionary<string, string>? Pairs(string[]? texts, string option)
    {
        if (texts is not { Length: > 0 })
            return null;
        var pairs = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var text in texts)
        {
            var split = text.IndexOf('=', StringComparison.Ordinal);
            var key = split < 0 ? text : text[..split];
            if (key.Length == 0)
                throw new CliException(ExitCodes.Usage, $"{option} {text}: expected K=V.");
            pairs[key] = split >= 0
                ? text[(split + 1)..]
                : Environment.GetEnvironmentVariable(key) ?? throw new CliException(ExitCodes.Usage, $"{option} {key}: this shell has no variable {key}; give {key}=VALUE.");
        }

        return pairs;
    }
}
