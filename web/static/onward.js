// Sends the form of the page that leads on to a program, as a browser without this script does by the button.
document.getElementById("onward-form").submit()
