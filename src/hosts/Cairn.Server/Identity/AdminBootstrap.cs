using Cairn.Contracts.Identity;

namespace Cairn.Server.Identity;

/// <summary>The first start makes the project <c>default</c> and an admin's key, so that there is someone who can make the others.</summary>
internal static class AdminBootstrap
{
    public const string DefaultProject = "default";

    /// <returns>The admin key's text where one was made, which nothing else keeps; null where one is there already.</returns>
    public static async Task<string?> RunAsync(Keyring keyring, CancellationToken cancellationToken)
    {
        await keyring.LoadAsync(cancellationToken);
        var (project, _) = await keyring.CreateProjectAsync(DefaultProject, cancellationToken);
        if (keyring.Keys.Any(key => key.Role == Role.Admin && !key.Revoked))
            return null;
        var (_, text) = await keyring.CreateKeyAsync(new KeyRow { Name = "admin", Role = Role.Admin, ProjectId = project.Id }, cancellationToken);
        return text;
    }
}
