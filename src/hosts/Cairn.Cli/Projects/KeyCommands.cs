using System.CommandLine;
using System.Globalization;
using Cairn.Cli.CommandLine;
using Cairn.Contracts.Api;
using Cairn.Contracts.Identity;

namespace Cairn.Cli.Projects;

internal sealed class KeysCommand : CairnCommand
{
    public KeysCommand() : base("keys", "List API keys; create or revoke one.", "cairn keys create ci --role member --in research")
    {
        Subcommands.Add(new CreateKeyCommand());
        Subcommands.Add(new RevokeKeyCommand());
    }

    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        var keys = await context.Api.ListAsync<KeyView>("keys", int.MaxValue, cancellationToken);
        context.Output.Write(keys, list =>
        {
            var table = Output.NewTable("ID", "NAME~", "ROLE", "PROJECT~", "EXPIRES", "STATE");
            foreach (var key in list)
            {
                table.AddRow(
                    key.Id.ToString(), Words.Escape(key.Name), Words.Snake(key.Role), Words.Escape(key.Project),
                    key.ExpiresAt?.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture) ?? "never", key.Revoked ? "revoked" : "live");
            }

            context.Output.Table(table);
        });
        return ExitCodes.Success;
    }
}

internal sealed class CreateKeyCommand : CairnCommand
{
    private readonly Argument<string> _name = new("NAME") { Description = "What the key is for." };
    private readonly Option<Role> _role = new("--role") { Description = "viewer, member or admin.", DefaultValueFactory = _ => Role.Member };
    private readonly Option<string> _project = new("--in") { Description = "The project that it acts in.", DefaultValueFactory = _ => "default", HelpName = "PROJECT" };
    private readonly Option<double?> _days = new("--days") { Description = "Days until it expires; without it, never." };

    public CreateKeyCommand() : base("create", "Create a key. It is shown once; the server keeps only a hash.", "cairn keys create ci --role member --days 90")
    {
        Arguments.Add(_name);
        Options.Add(_role);
        Options.Add(_project);
        Options.Add(_days);
    }

    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        var request = new CreateKeyRequest
        {
            Name = context.Get(_name)!, Role = context.Get(_role), Project = context.Get(_project)!,
            ValidSeconds = context.Get(_days) is { } days ? (long)(days * 86_400) : null,
        };
        var key = await context.Api.PostAsync<CreateKeyRequest, KeyView>("keys", request, cancellationToken);
        context.Output.Write(key, view =>
        {
            context.Output.Line(view.Key!);
            context.Output.Note("It is not shown again. Use it as $CAIRN_KEY, or with `cairn context set`.");
        });
        return ExitCodes.Success;
    }
}

internal sealed class RevokeKeyCommand : CairnCommand
{
    private readonly Argument<string> _id = new("ID") { Description = "The key's id, from `cairn keys`." };

    public RevokeKeyCommand() : base("revoke", "Make a key useless at once.", "cairn keys revoke 01990000-0000-7000-8000-000000000000") => Arguments.Add(_id);

    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        await context.Api.DeleteAsync("keys/" + Query.Segment(context.Get(_id)!), cancellationToken);
        context.Output.Note($"Key {context.Get(_id)} is revoked.");
        return ExitCodes.Success;
    }
}
