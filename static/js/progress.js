// While a batch is open, fetch the page again and put its new state in place; without this the link “Look again” does.
const again = async () => {
  const page = await fetch(location.href, { headers: { accept: "text/html" } });
  if (!page.ok) return setTimeout(again, 5000);
  const fresh = new DOMParser().parseFromString(await page.text(), "text/html").querySelector("#main");
  const old = document.querySelector("#main");
  if (fresh && old) old.replaceWith(fresh);
  if (document.querySelector("[data-open]")) setTimeout(again, 2000);
};
setTimeout(again, 2000);
