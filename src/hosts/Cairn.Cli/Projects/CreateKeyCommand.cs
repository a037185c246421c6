using System.CommandLine;
using Cairn.Cli.CommandLine;
using Cairn.Contracts.Api;
using Cairn.Contracts.Identity;
using Cairn.Contracts.Units;

namespace Cairn.Cli.Projects;

internal sealed class CreateKeyCommand : CairnCommand
{
    private readonly Argument<string> _name = new("NAME") { Description = "What the key is for." };
    private readonly Option<Role> _role = new("--role")
    {
        Description = "gateway (for `cairn gateway`, nothing else), inference (calls models and nothing else), viewer, member or admin.", DefaultValueFactory = _ => Role.Member,
    };

    private readonly Option<string> _project = new("--in")
    {
        Description = "The project that it acts in.", DefaultValueFactory = _ => "default", HelpName = "PROJECT",
    };

    private readonly Option<double?> _days = new("--days") { Description = "Days until it expires; without it, never." };
    private readonly Option<string?> _expires = new("--expires")
    {
        Description = "How long it lives, such as 12h or 30d; without it, for ever.", HelpName = "DURATION",
    };

    private readonly Option<string?> _under = new("--under") { Description = "The key, by id or name, whose limits hold for this one too.", HelpName = "KEY" };
    private readonly KeyLimitFlags _limits = new();

    public CreateKeyCommand() : base("create", "Create a key. It is shown once; the server keeps only a hash.",
        "cairn keys create ci --role member --days 90\ncairn keys create app --role inference --models 'llama*' --rpm 60 --budget '$5' --period monthly")
    {
        Arguments.Add(_name);
        foreach (var option in new Option[] { _role, _project, _days, _expires, _under })
            Options.Add(option);
        _limits.AddTo(this);
    }

    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        var request = new CreateKeyRequest
        {
            Name = context.Get(_name)!, Role = context.Get(_role), Project = context.Get(_project)!, Parent = context.Get(_under), Limits = _limits.Read(context),
            ValidSeconds = ValidSeconds(context),
        };
        var key = await context.Api.PostAsync<CreateKeyRequest, KeyView>("keys", request, cancellationToken);
        context.Output.Write(key, view =>
        {
            context.Output.Line(view.Key!);
            context.Output.Note("It is not shown again. Use it as $CAIRN_KEY, or with `cairn context set`; clients of models take it as their API key.");
        });
        return ExitCodes.Success;
    }

    private long? ValidSeconds(CommandContext context)
    {
        if (context.Get(_expires) is not { } text)
            return context.Get(_days) is { } days ? (long)(days * 86_400) : null;
        if (context.Get(_days) is not null)
            throw new CliException(ExitCodes.Usage, "--days and --expires say the same; give one of them.");
        return Duration.TryParseSeconds(text, out var seconds) && seconds > 0
            ? seconds
            : throw new CliException(ExitCodes.Usage, $"--expires {text}: expected a duration such as 12h or 30d.");
    }
}
